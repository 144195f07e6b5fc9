// Asks a question without escape sequences or colours, for dumb terminals and users who set NO_COLOR.
import type { EventEmitter } from "node:events";

/** What the question needs of the terminal. */
export interface PlainTerminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
}

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const LF = 0x0a;
const CR = 0x0d;
const CTRL_U = 0x15;
const SPACE = 0x20;
const DEL = 0x7f;
/** The longest answer, bytes. Further bytes are ignored. */
const MOST_BYTES = 4096;

/**
 * Shows the question, and returns the line that is typed; undefined if the user cancels or the signal is aborted. A
 * secret is read in raw mode, because otherwise the terminal shows what is typed.
 */
export async function askPlainly(
  question: string,
  isSecret: boolean,
  { stdin, stderr }: PlainTerminal,
  signal: AbortSignal,
): Promise<string | undefined> {
  stderr.write(question);
  if (isSecret) stdin.setRawMode(true);
  try {
    return await readAnswer(stdin, signal);
  } finally {
    stdin.pause();
    if (isSecret) stdin.setRawMode(false);
    if (isSecret || signal.aborted) stderr.write("\n");
  }
}

function readAnswer(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const line: number[] = [];
  const take = (chunk: Uint8Array | string): void => {
    const bytes = Buffer.from(chunk);
    for (const [at, byte] of bytes.entries()) {
      const answer = press(line, byte);
      if (answer === undefined) continue;
      end(answer);
      // The rest is for the next question.
      if (at + 1 < bytes.length) stdin.unshift(bytes.subarray(at + 1));
      return;
    }
  };
  const end = (answer: { readonly text: string | undefined }): void => {
    for (const [emitter, event, listener] of listeners) emitter.off(event, listener);
    signal.removeEventListener("abort", cancel);
    stdin.pause();
    resolve(answer.text);
  };
  const cancel = (): void => end({ text: undefined });
  const listeners: readonly (readonly [EventEmitter, string, (chunk: Buffer) => void])[] = [
    [stdin, "data", take],
    [stdin, "end", cancel],
    [stdin, "close", cancel],
    [stdin, "error", cancel],
  ];
  for (const [emitter, event, listener] of listeners) emitter.on(event, listener);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  else stdin.resume();
  return promise;
}

/** Adds a byte to the line. Returns the answer if the byte ends it: the text, or undefined if the user cancels. */
function press(line: number[], byte: number): { readonly text: string | undefined } | undefined {
  switch (byte) {
    case CR:
    case LF:
      return { text: Buffer.from(line).toString("utf8") };
    case CTRL_C:
      return { text: undefined };
    case CTRL_D:
      return line.length === 0 ? { text: undefined } : undefined;
    case BACKSPACE:
    case DEL:
      // One code point: its continuation bytes and its leading byte.
      for (let last = line.pop(); last !== undefined && (last & 0xc0) === 0x80; last = line.pop());
      return undefined;
    case CTRL_U:
      line.length = 0;
      return undefined;
    default:
      if (byte >= SPACE && line.length < MOST_BYTES) line.push(byte);
      return undefined;
  }
}
