// Asks the user a question at the terminal. No other file uses enquirer, whose exact version package.json pins.
import type { EventEmitter } from "node:events";
import process from "node:process";
import { askPlainly } from "./ask-plainly.ts";

export interface Question {
  /** The text of the question, such as "Username". */
  readonly message: string;
  /** Whether the answer is not shown. */
  readonly isSecret?: boolean;
}

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  /** The stream for questions, because standard output is for results. */
  readonly stderr: NodeJS.WriteStream;
  /** Whether to write no escape sequences; by default if the terminal shows no colours. */
  readonly isPlain?: boolean;
  /** Emits the signals of the process; by default the process itself. */
  readonly host?: Pick<EventEmitter, "on" | "off">;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Asks, and returns the answer, or undefined if the user cancels with Ctrl-C, Ctrl-D or Escape, or if a signal asks the
 * process to end. Call it before other code reads the terminal.
 */
export async function ask(question: Question, terminal: Terminal): Promise<string | undefined> {
  // Without a listener a signal would end the process in the middle, with the terminal still in raw mode.
  const { host = process } = terminal;
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  for (const name of signals) host.on(name, stop);
  try {
    const isPlain = terminal.isPlain ?? terminal.stderr.getColorDepth?.() === 1;
    return isPlain
      ? await askPlainly(`${question.message}: `, question.isSecret === true, terminal, stopped.signal)
      : await askWithEnquirer(question, terminal, stopped.signal);
  } finally {
    for (const name of signals) host.off(name, stop);
  }
}

async function askWithEnquirer(
  question: Question,
  { stdin, stderr }: Terminal,
  stopped: AbortSignal,
): Promise<string | undefined> {
  // Load enquirer only here, because most commands ask nothing.
  const { default: Enquirer } = await import("enquirer");
  const enquirer = new Enquirer<{ answer: string }>();
  enquirer.on("prompt", (prompt: StartedPrompt) => {
    prompt.once("start", () => {
      surviveCancel(prompt);
      if (stopped.aborted) void prompt.cancel();
    });
    stopped.addEventListener("abort", () => void prompt.cancel());
    // At the end of the input, Node's readline closes, and enquirer would wait forever.
    prompt.on("keypress", (_input: unknown, key: { readonly ctrl?: boolean; readonly name?: string }) => {
      if (key.ctrl === true && key.name === "d") void prompt.cancel();
    });
  });
  try {
    const { answer } = await enquirer.prompt({
      // The type is not "password", whose asterisks show the length of the answer.
      type: question.isSecret === true ? "invisible" : "input",
      name: "answer",
      message: question.message,
      stdin,
      stdout: stderr,
    });
    return answer;
  } catch (error) {
    // When the user cancels, the prompt rejects with the text typed so far, or with undefined.
    if (error instanceof Error) throw error;
    return undefined;
  }
}

/** The parts of a started enquirer prompt that this file uses. */
interface StartedPrompt extends EventEmitter {
  /** Restores the terminal. */
  readonly stop: () => void;
  /** Makes the prompt reject. */
  cancel(): Promise<void>;
}

/**
 * On Ctrl-C, Node's readline closes before enquirer pauses it. Since Node 24.2 that throws an uncaught exception
 * (enquirer/enquirer#483). The terminal is already restored by then, so the error can be ignored.
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
