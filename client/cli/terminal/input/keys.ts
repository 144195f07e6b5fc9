// Decodes the bytes that a terminal sends into keys. The result does not depend on how the bytes are split into chunks.
import { type Key, readSequence } from "./key-sequences.ts";

export type { Key };

/** The most code units of a paste that are kept: 1 Mi. */
export const PASTE_LIMIT = 1 << 20;

const PASTE_END = "\x1b[201~";

/** What the decoder holds back: nothing, the start of an escape sequence, or a paste whose end has not arrived. */
export type Waiting = "nothing" | "sequence" | "paste";

/**
 * Pass bytes to `push`. When `waiting` is not "nothing" and no byte arrives for a while, call `flush`: only time
 * distinguishes the Escape key from the start of a sequence, and a paste whose end was lost must not block the
 * keyboard.
 */
export class KeyDecoder {
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #held = "";
  #paste: Paste | undefined;

  get waiting(): Waiting {
    if (this.#paste !== undefined) return "paste";
    return this.#held === "" ? "nothing" : "sequence";
  }

  /** Decodes bytes. Invalid UTF-8 becomes U+FFFD. */
  push(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = this.#held + this.#utf8.decode(bytes, { stream: true });
    this.#held = "";
    while (text !== "") {
      const rest = this.#paste === undefined ? this.#keys(text, keys) : this.#pasted(text, this.#paste, keys);
      if (rest === undefined) break;
      text = rest;
    }
    return keys;
  }

  /** Stops waiting, and returns what was held back as keys. */
  flush(): Key[] {
    const held = this.#held;
    this.#held = "";
    if (this.#paste !== undefined) {
      const key = this.#paste.end(held);
      this.#paste = undefined;
      return [key];
    }
    return keysOfUnfinished(held);
  }

  /** Reads text outside a paste. Returns the rest if a paste starts there; undefined if all was read or held back. */
  #keys(text: string, keys: Key[]): string | undefined {
    let at = 0;
    while (at < text.length) {
      const code = text.codePointAt(at) ?? 0;
      if (code >= 0x20 && code !== 0x7f && (code < 0x80 || code > 0x9f)) {
        const character = String.fromCodePoint(code);
        keys.push({ kind: "text", text: character });
        at += character.length;
        continue;
      }
      const sequence = readSequence(text, at);
      if (sequence === "more") {
        this.#held = text.slice(at);
        return undefined;
      }
      at += sequence.length;
      if (sequence.means === "paste") {
        this.#paste = new Paste();
        return text.slice(at);
      }
      if (sequence.means !== "nothing") keys.push(sequence.means);
    }
    return undefined;
  }

  #pasted(text: string, paste: Paste, keys: Key[]): string | undefined {
    const end = text.indexOf(PASTE_END);
    if (end >= 0) {
      keys.push(paste.end(text.slice(0, end)));
      this.#paste = undefined;
      return text.slice(end + PASTE_END.length);
    }
    // The end marker may be split between chunks, so a possible beginning of it is held back.
    let hold = Math.min(PASTE_END.length - 1, text.length);
    while (hold > 0 && !text.endsWith(PASTE_END.slice(0, hold))) hold -= 1;
    paste.add(text.slice(0, text.length - hold));
    this.#held = text.slice(text.length - hold);
    return undefined;
  }
}

/**
 * The keys with consecutive characters joined into one text, so that the editor takes a paste without brackets in one
 * edit instead of thousands.
 */
export function* joinTexts(keys: readonly Key[]): Generator<Key> {
  let texts: string[] = [];
  for (const key of keys) {
    if (key.kind === "text") {
      texts.push(key.text);
      continue;
    }
    if (texts.length > 0) yield { kind: "text", text: texts.join("") };
    texts = [];
    yield key;
  }
  if (texts.length > 0) yield { kind: "text", text: texts.join("") };
}

class Paste {
  readonly #pieces: string[] = [];
  #room = PASTE_LIMIT;
  #cut = false;

  add(text: string): void {
    if (text.length > this.#room) this.#cut = true;
    const piece = text.slice(0, this.#room);
    this.#room -= piece.length;
    if (piece !== "") this.#pieces.push(piece);
  }

  end(text: string): Key {
    this.add(text);
    let pasted = this.#pieces.join("");
    if (this.#cut && !pasted.isWellFormed()) pasted = pasted.slice(0, -1);
    return { kind: "paste", text: pasted, cut: this.#cut };
  }
}

function keysOfUnfinished(held: string): Key[] {
  if (held === "") return [];
  if (held === "\x1b") return [{ kind: "key", name: "escape" }];
  if (held.startsWith("\x1b\x1b"))
    return [{ kind: "key", name: "escape" }, ...keysOfUnfinished(held.slice(1))];
  if (held === "\x1b[" || held === "\x1bO") return [{ kind: "key", name: `alt-${held.slice(1)}` }];
  return [{ kind: "key", name: "unknown" }];
}
