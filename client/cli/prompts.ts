// Asks a person on the terminal, before anything else owns it: the only user of enquirer.
import type { EventEmitter } from "node:events";
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
    confirm: (question) => confirm(environment, `${question} (yes/no)`),
    tell: (sentence) => void stderr.write(`${sentence}\n`),
  };
}

/** Not enquirer's own: that answers at the key, and the rest of "yes" would answer the next question. */
async function confirm(environment: Environment, question: string): Promise<boolean> {
  for (let message = question; ; message = "Please type yes or no") {
    const answer = await ask<string>(environment, { type: "input", message });
    if (/^\s*y(es)?\s*$/i.test(answer)) return true;
    if (/^\s*no?\s*$/i.test(answer)) return false;
  }
}

interface Question {
  readonly type: "input" | "invisible";
  readonly message: string;
}

async function ask<T>(environment: Environment, question: Question): Promise<T> {
  // Loaded here, since most commands ask nothing.
  const { default: Enquirer } = await import("enquirer");
  const enquirer = new Enquirer<{ answer: T }>();
  enquirer.on("prompt", (prompt: StartedPrompt) => {
    prompt.once("start", () => surviveCancel(prompt));
    // At the end of input Node's readline closes, and enquirer would wait for ever.
    prompt.on("keypress", (_input: unknown, key: { readonly ctrl?: boolean; readonly name?: string }) => {
      if (key.ctrl === true && key.name === "d") void prompt.cancel();
    });
  });
  const { stdin, stderr: stdout } = environment;
  try {
    const { answer } = await enquirer.prompt({ ...question, name: "answer", stdin, stdout });
    return answer;
  } catch (error) {
    // It rejects with the text typed so far, or with nothing, when a person cancels.
    if (error instanceof Error) throw error;
    throw new CommandError(Exit.INTERRUPTED, "");
  }
}

/** A prompt of enquirer once it has begun. */
interface StartedPrompt extends EventEmitter {
  /** Gives the terminal back. */
  readonly stop: () => void;
  /** Makes the question reject. */
  cancel(): Promise<void>;
}

/**
 * Ctrl-C closes Node's readline before enquirer pauses it, which throws since Node 24.2, past every promise
 * (enquirer/enquirer#483). By then all else is given back, so nothing is lost with that error.
 */
function surviveCancel(prompt: StartedPrompt): void {
  const { stop } = prompt;
  prompt.off("close", stop);
  prompt.once("close", () => {
    try {
      stop();
    } catch (error) {
      const isClosed = error instanceof Error && "code" in error && error.code === "ERR_USE_AFTER_CLOSE";
      if (!isClosed) throw error;
    }
  });
}
