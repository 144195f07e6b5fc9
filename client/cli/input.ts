// Reads standard input where a command was told to: passwords line by line, or a whole text.
import { usage } from "./exit.ts";

/** Far above what a server takes in one message, bytes. */
const mostBytes = 1024 * 1024;

/**
 * The first lines, without their ends; fewer where the input ends before. What follows is left unread.
 * @throws CommandError (usage) where it is no UTF-8 or far too long
 */
export async function readLines(input: NodeJS.ReadStream, count: number): Promise<string[]> {
  const isEnough = (bytes: Buffer): boolean => bytes.filter((byte) => byte === 0x0a).length >= count;
  const lines = decode(await read(input, isEnough)).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(0, count).map((line) => line.replace(/\r$/, ""));
}

/**
 * All of it, less one newline at the end: `echo hi` says "hi".
 * @throws CommandError (usage) where it is no UTF-8 or far too long
 */
export async function readText(input: NodeJS.ReadStream): Promise<string> {
  return decode(await read(input, () => false)).replace(/\r?\n$/, "");
}

async function read(input: NodeJS.ReadStream, isEnough: (bytes: Buffer) => boolean): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  // Leaving the loop destroys the stream, so that an input which stays open does not keep the process.
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > mostBytes) throw usage("Standard input is too long: at most 1 MiB.");
    if (isEnough(bytes)) break;
  }
  return bytes;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw usage(`Standard input is no UTF-8 text${error instanceof TypeError ? "" : `: ${String(error)}`}.`);
  }
}
