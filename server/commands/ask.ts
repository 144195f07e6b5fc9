// Asks the operator for a password: the only user of enquirer in the server.
import type { EventEmitter } from "node:events";
import type { Readable } from "node:stream";
import { UsageError } from "../arguments.ts";
import { CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";

/** More than any password has; a wrong file is not read to its end. */
const MOST_BYTES = 4096;

/**
 * A new password: the first line of standard input, or asked for twice on the terminal, without echo.
 * @throws UsageError where nobody can be asked
 * @throws CommandFailure where the person breaks off, or types two different ones
 */
export async function newPassword(io: Io, isFromInput: boolean): Promise<string> {
  if (isFromInput) return firstLine(io.stdin);
  if (!io.isInputTerminal || !io.isErrorTerminal) {
    throw new UsageError("standard input is no terminal to ask on: give the password with --password-stdin");
  }
  const password = await ask(io, "Password");
  if ((await ask(io, "Once more")) !== password) throw new CommandFailure("the two passwords differ");
  return password;
}

async function ask({ stdin, stderr }: Io, message: string): Promise<string> {
  const { default: Enquirer } = await import("enquirer");
  const enquirer = new Enquirer<{ answer: string }>();
  enquirer.on("prompt", (prompt: StartedPrompt) => prompt.once("start", () => surviveCancel(prompt)));
  try {
    // Not its "password": the asterisks tell everyone how long it is.
    const { answer } = await enquirer.prompt({
      type: "invisible",
      name: "answer",
      message,
      stdin,
      stdout: stderr,
    });
    return answer;
  } catch (error) {
    // It rejects with text, or nothing, when a person cancels.
    if (error instanceof Error) throw error;
    throw new CommandFailure("nothing was changed");
  }
}

/** A prompt of enquirer once it has begun. */
interface StartedPrompt extends EventEmitter {
  /** Gives the terminal back. */
  readonly stop: () => void;
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

async function firstLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const piece = Buffer.from(chunk);
    chunks.push(piece);
    bytes += piece.length;
    if (piece.includes("\n") || bytes > MOST_BYTES) break;
  }
  const [line = ""] = Buffer.concat(chunks).toString("utf8").split(/\r?\n/);
  return line;
}
