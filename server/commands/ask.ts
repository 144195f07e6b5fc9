// Gets a new password from the operator: from standard input, or asked for twice.
import type { Readable } from "node:stream";
import { ask } from "../../command-line/ask.ts";
import { UsageError } from "../../command-line/usage-error.ts";
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
  const password = await askSecret(io, "Password");
  if ((await askSecret(io, "Once more")) !== password) throw new CommandFailure("the two passwords differ");
  return password;
}

async function askSecret(io: Io, message: string): Promise<string> {
  const answer = await ask({ message, isSecret: true }, io);
  if (answer === undefined) throw new CommandFailure("nothing was changed");
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
  const [line = ""] = Buffer.concat(chunks).toString("utf8").split(/\r?\n/);
  return line;
}
