// Asks the person at the terminal, if there is one.
import { ask as askPerson, type Question } from "../../../command-line/ask.ts";
import { safeText } from "../terminal/text/safe-text.ts";
import type { Environment } from "./environment.ts";
import { CommandError, Exit } from "./exit.ts";

/** Asks a person. Every question rejects with a CommandError (exit 130) if the person cancels it. */
export interface Asker {
  /** Asks for a text. @param question such as "Username" */
  text(question: string): Promise<string>;
  /** Asks for a text that the terminal does not show. */
  password(question: string): Promise<string>;
  /** Asks for "yes" or "no" and Enter, again after any other answer. */
  confirm(question: string): Promise<boolean>;
  /** Prints what the next question is about, in one line that is safe for a terminal. */
  show(sentence: string): void;
}

/** Undefined if standard input or standard error is not a terminal. Questions are printed on standard error. */
export function terminalAsker(environment: Environment): Asker | undefined {
  const { stdin, stderr } = environment;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return {
    text: (message) => ask(environment, { message }),
    password: (message) => ask(environment, { message, isSecret: true }),
    confirm: (question) => confirm(environment, `${question} (yes/no)`),
    show: (sentence) => void stderr.write(`${safeText(sentence)}\n`),
  };
}

/** Not enquirer's own question: the first key answers that, and the rest of "yes" would answer the next question. */
async function confirm(environment: Environment, question: string): Promise<boolean> {
  for (let message = question; ; message = "Please type yes or no") {
    const answer = await ask(environment, { message });
    if (/^\s*y(es)?\s*$/i.test(answer)) return true;
    if (/^\s*no?\s*$/i.test(answer)) return false;
  }
}

/** @throws CommandError if the person cancels */
async function ask(environment: Environment, question: Question): Promise<string> {
  const { TERM, NO_COLOR = "" } = environment.variables;
  const answer = await askPerson(question, { ...environment, isPlain: TERM === "dumb" || NO_COLOR !== "" });
  if (answer === undefined) throw new CommandError(Exit.INTERRUPTED, "");
  return answer;
}
