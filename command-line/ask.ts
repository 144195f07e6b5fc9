// Asks the person at the terminal, before anything else owns it: the only user of enquirer.
import type { EventEmitter } from "node:events";

export interface Question {
  /** Such as "Username". */
  readonly message: string;
  /** What is typed is not shown. */
  readonly isSecret?: boolean;
}

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  /** Where questions are asked: standard output is for answers of the program. */
  readonly stderr: NodeJS.WriteStream;
}

/** What was typed; undefined where the person breaks off with Ctrl-C, Ctrl-D or Escape. */
export async function ask(question: Question, { stdin, stderr }: Terminal): Promise<string | undefined> {
  // Loaded here, since most commands ask nothing.
  const { default: Enquirer } = await import("enquirer");
  const enquirer = new Enquirer<{ answer: string }>();
  enquirer.on("prompt", (prompt: StartedPrompt) => {
    prompt.once("start", () => surviveCancel(prompt));
    // At the end of input Node's readline closes, and enquirer would wait for ever.
    prompt.on("keypress", (_input: unknown, key: { readonly ctrl?: boolean; readonly name?: string }) => {
      if (key.ctrl === true && key.name === "d") void prompt.cancel();
    });
  });
  try {
    const { answer } = await enquirer.prompt({
      // Not its "password": the asterisks tell everyone how long it is.
      type: question.isSecret === true ? "invisible" : "input",
      name: "answer",
      message: question.message,
      stdin,
      stdout: stderr,
    });
    return answer;
  } catch (error) {
    // It rejects with the text typed so far, or with nothing, when a person cancels.
    if (error instanceof Error) throw error;
    return undefined;
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
