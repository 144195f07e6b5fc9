// Reads standard input for the commands that take it: some lines, a whole text, or line after line.
import { withoutByteOrderMark } from "../../../command-line/byte-order-mark.ts";
import { usage } from "./exit.ts";

/** The longest input, bytes: far above the largest message that a server accepts. */
const mostBytes = 1024 * 1024;

/**
 * The first `count` lines without their ends and without a byte order mark; fewer if the input ends first. The rest is
 * not read.
 * @throws UsageError if it is not UTF-8, or longer than 1 MiB
 */
export async function readLines(input: NodeJS.ReadStream, count: number): Promise<string[]> {
  const isEnough = (bytes: Buffer): boolean => bytes.filter((byte) => byte === 0x0a).length >= count;
  const lines = withoutByteOrderMark(decode(await read(input, isEnough))).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(0, count).map((line) => line.replace(/\r$/, ""));
}

/**
 * The whole input, without one newline at the end.
 * @throws UsageError if it is not UTF-8, or longer than 1 MiB
 */
export async function readText(input: NodeJS.ReadStream): Promise<string> {
  return decode(await read(input, () => false)).replace(/\r?\n$/, "");
}

/**
 * The lines without their ends and without a byte order mark, as they arrive.
 * @throws UsageError if a line is not UTF-8, or longer than 1 MiB
 */
export async function* eachLine(input: NodeJS.ReadStream): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  let isFirst = true;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      const text = decode(Buffer.concat([rest, chunk.subarray(from, end)])).replace(/\r$/, "");
      yield isFirst ? withoutByteOrderMark(text) : text;
      isFirst = false;
      rest = Buffer.alloc(0);
      from = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(from)]);
    if (rest.length > mostBytes) throw usage("A line of standard input is too long. The limit is 1 MiB.");
  }
  if (rest.length > 0) yield isFirst ? withoutByteOrderMark(decode(rest)) : decode(rest);
}

async function read(input: NodeJS.ReadStream, isEnough: (bytes: Buffer) => boolean): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  // Leaving the loop destroys the stream, so that an input that stays open does not keep the process running.
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length > mostBytes) throw usage("Standard input is too long. The limit is 1 MiB.");
    if (isEnough(bytes)) break;
  }
  return bytes;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw usage(`Standard input is not UTF-8 text${error instanceof TypeError ? "" : `: ${String(error)}`}.`);
  }
}
