// The questions of a command to the person at the terminal, where there is one.
import { ask as askPerson, type Question } from "../../../command-line/ask.ts";
import type { Environment } from "./environment.ts";
import { CommandError, Exit } from "./exit.ts";

/** Someone to ask. Every question rejects with a CommandError where the person breaks off. */
export interface Asker {
  /** `question` such as "Username". */
  text(question: string): Promise<string>;
  /** What is typed is not shown. */
  password(question: string): Promise<string>;
  /** Yes or no, in a word and with Enter; any other answer is asked for again. */
  confirm(question: string): Promise<boolean>;
  /** Tells what the next question is about. */
  show(sentence: string): void;
}

/** The person at the terminal; undefined where standard input is none. Questions go to standard error. */
export function terminalAsker(environment: Environment): Asker | undefined {
  const { stdin, stderr } = environment;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return {
    text: (message) => ask(environment, { message }),
    password: (message) => ask(environment, { message, isSecret: true }),
    confirm: (question) => confirm(environment, `${question} (yes/no)`),
    show: (sentence) => void stderr.write(`${sentence}\n`),
  };
}

/** Not enquirer's own: that answers at the key, and the rest of "yes" would answer the next question. */
async function confirm(environment: Environment, question: string): Promise<boolean> {
  for (let message = question; ; message = "Please type yes or no") {
    const answer = await ask(environment, { message });
    if (/^\s*y(es)?\s*$/i.test(answer)) return true;
    if (/^\s*no?\s*$/i.test(answer)) return false;
  }
}

/** @throws CommandError where the person breaks off */
async function ask(environment: Environment, question: Question): Promise<string> {
  const answer = await askPerson(question, environment);
  if (answer === undefined) throw new CommandError(Exit.INTERRUPTED, "");
  return answer;
}
