// Reads a secret from a terminal in raw mode, and handles the editing keys that the terminal does not handle in that
// mode.
import type { LineRead, LineSplitter } from "./line-splitter.ts";

type Secret = LineRead | { readonly kind: "interrupted" };

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const LF = 0x0a;
const CR = 0x0d;
const CTRL_U = 0x15;
const SPACE = 0x20;
const DEL = 0x7f;
const SECRET_LIMIT = 4096;

/**
 * Reads bytes from the splitter up to Enter. `more` adds bytes to it, or resolves to false at the end of the input.
 * Backspace and Ctrl-U edit; Ctrl-D on an empty line ends the input. Bytes after Enter are returned to the splitter.
 */
export async function readSecret(splitter: LineSplitter, more: () => Promise<boolean>): Promise<Secret> {
  const secret: number[] = [];
  for (;;) {
    const bytes = splitter.takeBytes();
    for (const [index, byte] of bytes.entries()) {
      const after = bytes.subarray(index + 1);
      switch (byte) {
        case CR:
        case LF:
          splitter.push(after);
          return read(secret);
        case CTRL_C:
          splitter.push(after);
          return { kind: "interrupted" };
        case CTRL_D:
          if (secret.length > 0) break;
          splitter.push(after);
          return { kind: "end" };
        case BACKSPACE:
        case DEL:
          dropLast(secret);
          break;
        case CTRL_U:
          secret.length = 0;
          break;
        default:
          // Other control characters are ignored.
          if (byte >= SPACE && secret.length <= SECRET_LIMIT) secret.push(byte);
      }
    }
    if (!(await more())) return secret.length > 0 ? read(secret) : { kind: "end" };
  }
}

function read(secret: readonly number[]): Secret {
  if (secret.length > SECRET_LIMIT) return { kind: "refused", problem: "too-long" };
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return { kind: "line", text: decoder.decode(Uint8Array.from(secret)) };
  } catch (error) {
    if (error instanceof TypeError) return { kind: "refused", problem: "not-utf8" };
    throw error;
  }
}

/** Removes one code point: its continuation bytes and its leading byte. */
function dropLast(secret: number[]): void {
  for (let byte = secret.pop(); byte !== undefined && (byte & 0xc0) === 0x80; byte = secret.pop());
}
