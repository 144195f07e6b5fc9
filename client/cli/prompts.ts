// Asks a person on the terminal, before anything else owns it: the only user of enquirer.
import type { Environment } from "./environment.ts";
import { CommandError, Exit } from "./exit.ts";

/** Someone to ask. Every question rejects with a CommandError where the person breaks off. */
export interface Asker {
  /** `question` such as "Username". */
  text(question: string): Promise<string>;
  /** What is typed is not shown. */
  password(question: string): Promise<string>;
  /** Yes or no; no is the default. */
  confirm(question: string): Promise<boolean>;
  /** Tells what the next question is about. */
  tell(sentence: string): void;
}

/** The person at the terminal; undefined where standard input is none. Questions go to standard error. */
export function terminalAsker(environment: Environment): Asker | undefined {
  const { stdin, stderr } = environment;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return {
    text: (question) => ask<string>(environment, { type: "input", message: question }),
    // Not "password": its asterisks tell everyone how long it is.
    password: (question) => ask<string>(environment, { type: "invisible", message: question }),
    confirm: (question) => ask<boolean>(environment, { type: "confirm", message: question }),
    tell: (sentence) => void stderr.write(`${sentence}\n`),
  };
}

interface Question {
  readonly type: "input" | "invisible" | "confirm";
  readonly message: string;
}

async function ask<T>(environment: Environment, question: Question): Promise<T> {
  // Loaded here, since most commands ask nothing.
  const { default: enquirer } = await import("enquirer");
  const { stdin, stderr: stdout } = environment;
  let answers: Record<string, T>;
  try {
    answers = await enquirer.prompt<Record<string, T>>({ ...question, name: "answer", stdin, stdout });
  } catch (error) {
    // enquirer rejects with the text typed so far, or with nothing, when a person cancels.
    if (error instanceof Error) throw error;
    throw new CommandError(Exit.INTERRUPTED, "");
  }
  const answer = answers.answer;
  if (answer === undefined) throw new CommandError(Exit.INTERRUPTED, "");
  return answer;
}
