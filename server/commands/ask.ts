// Reads a new password from the operator: from standard input, or from a prompt on the terminal.
import type { Readable } from "node:stream";
import { ask } from "../../command-line/ask.ts";
import { withoutByteOrderMark } from "../../command-line/byte-order-mark.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { CommandFailure } from "./command.ts";
import type { Io } from "./io.ts";

/** The most bytes to read: more than any password has, so that a wrong file is not read to its end. */
const MOST_BYTES = 4096;

/**
 * Reads the first line of standard input, or prompts for the password twice on the terminal, without echo.
 * @throws UsageError if a prompt is needed and there is no terminal
 * @throws CommandFailure if the operator cancels the prompt, or enters two different passwords
 */
export async function newPassword(io: Io, isFromInput: boolean): Promise<string> {
  if (isFromInput) return firstLine(io.stdin);
  if (!io.isInputTerminal || !io.isErrorTerminal) {
    throw new UsageError("there is no terminal to prompt on: give the password with --password-stdin");
  }
  const password = await askSecret(io, "Password");
  if ((await askSecret(io, "Password again")) !== password)
    throw new CommandFailure("the two passwords differ; nothing was changed");
  return password;
}

async function askSecret(io: Io, message: string): Promise<string> {
  const answer = await ask({ message, isSecret: true }, io);
  if (answer === undefined) throw new CommandFailure("cancelled; nothing was changed");
  return answer;
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
  const [line = ""] = withoutByteOrderMark(utf8(Buffer.concat(chunks))).split(/\r?\n/);
  return line;
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UsageError("the password on standard input is not UTF-8 text", { cause: error });
  }
}
