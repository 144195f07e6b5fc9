// Splits the bytes of a call into messages, in place of the decoder of grpc-js. It MUST:
//  1. refuse a message from its five bytes of prefix on, before any byte of it is kept: if it is too long, compressed, one
//     too many, or has an invalid flag;
//  2. keep no more than twice the bytes of a message that have arrived, whatever length was announced, and in one piece,
//     since a caller can send each byte in a frame of its own;
//  3. ignore everything after a refusal;
//  4. refuse the end of the stream inside of a message.
import { status } from "@grpc/grpc-js";
import { RpcError } from "../status/status.ts";
import type { MethodBounds } from "./request-bounds.ts";

const PREFIX_BYTES = 5;
const LEAST_CAPACITY = 256;
const COMPRESSED = 1;

const refusals = new WeakMap<ArrayBufferLike, RpcError>();

/** The refusal that takes the place of a message; undefined if the bytes are a message. */
export function refusalIn(message: Buffer): RpcError | undefined {
  return message.length === 0 ? refusals.get(message.buffer) : undefined;
}

export class MessageReader {
  readonly #bounds: MethodBounds;
  readonly #onKept: (bytes: number) => void;
  #messages = 0;
  #isRefused = false;
  #prefixRead = 0;
  #flag = 0;
  #length = 0;
  /** The unfinished message, if a part of it has arrived: room for the prefix, then its bytes. */
  #kept: Buffer | undefined;
  #keptBytes = PREFIX_BYTES;

  /** @param onKept called with the change of the bytes that are kept for an unfinished message */
  constructor(bounds: MethodBounds, onKept: (bytes: number) => void) {
    this.#bounds = bounds;
    this.#onKept = onKept;
  }

  /** How many whole messages have arrived. */
  get messages(): number {
    return this.#messages;
  }

  /** Returns the messages that are whole now, each with its prefix. A refusal is returned as a message. */
  write(data: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < data.length && !this.#isRefused) {
      if (this.#prefixRead < PREFIX_BYTES) {
        this.#readPrefix(data[at++] ?? 0);
        if (this.#prefixRead < PREFIX_BYTES) continue;
        const refusal = this.#check();
        if (refusal !== undefined) messages.push(this.#refuse(refusal));
        else if (this.#length === 0) messages.push(this.#finish(Buffer.alloc(PREFIX_BYTES)));
        continue;
      }
      const end = Math.min(data.length, at + PREFIX_BYTES + this.#length - this.#keptBytes);
      const whole = this.#take(data.subarray(at, end));
      if (whole !== undefined) messages.push(whole);
      at = end;
    }
    return messages;
  }

  /** Call it at the end of the stream. @returns a refusal as a message, if the stream ends inside of a message */
  end(): Buffer[] {
    if (this.#prefixRead === 0 || this.#isRefused) return [];
    return [this.#refuse(undecodable("The stream ended in the middle of a message."))];
  }

  /** The call is refused: keeps nothing, and ignores what still arrives. */
  drop(): void {
    this.#isRefused = true;
    this.#release();
  }

  #readPrefix(byte: number): void {
    if (this.#prefixRead === 0) this.#flag = byte;
    else this.#length = this.#length * 256 + byte;
    this.#prefixRead += 1;
  }

  #check(): RpcError | undefined {
    const { bytes, isStream } = this.#bounds;
    if (this.#flag > COMPRESSED) {
      return undecodable(`The first byte of a message must be 0 or 1, and is ${this.#flag}.`);
    }
    if (this.#flag === COMPRESSED) {
      const message = "This server takes no compressed messages. Send them without compression.";
      return new RpcError({ code: status.UNIMPLEMENTED, reason: "COMPRESSION_UNSUPPORTED", message });
    }
    if (!isStream && this.#messages > 0) return undecodable("This method takes one request message.");
    if (this.#length <= bytes) return undefined;
    const message = `The request has ${this.#length} bytes, and at most ${bytes} are allowed.`;
    const metadata = { maximum: String(bytes), unit: "bytes", actual: String(this.#length) };
    return new RpcError({ code: status.INVALID_ARGUMENT, reason: "REQUEST_TOO_LARGE", message, metadata });
  }

  #take(piece: Buffer): Buffer | undefined {
    const size = PREFIX_BYTES + this.#length;
    if (this.#kept === undefined && piece.length === this.#length) {
      // The usual case: the whole message arrived at once.
      const whole = Buffer.allocUnsafe(size).fill(0, 0, PREFIX_BYTES);
      whole.set(piece, PREFIX_BYTES);
      return this.#finish(whole);
    }
    const kept = this.#roomFor(piece.length, size);
    kept.set(piece, this.#keptBytes);
    this.#keptBytes += piece.length;
    if (this.#keptBytes < size) return undefined;
    this.#release();
    return this.#finish(kept.subarray(0, size));
  }

  #roomFor(more: number, size: number): Buffer {
    const needed = this.#keptBytes + more;
    if (this.#kept !== undefined && needed <= this.#kept.length) return this.#kept;
    const grown = Buffer.allocUnsafe(Math.min(size, Math.max(LEAST_CAPACITY, 2 * needed)));
    if (this.#kept === undefined) grown.fill(0, 0, PREFIX_BYTES);
    else this.#kept.copy(grown, 0, 0, this.#keptBytes);
    this.#onKept(grown.length - (this.#kept?.length ?? 0));
    this.#kept = grown;
    return grown;
  }

  #finish(message: Buffer): Buffer {
    this.#messages += 1;
    this.#prefixRead = 0;
    this.#length = 0;
    return message;
  }

  #refuse(error: RpcError): Buffer {
    this.#isRefused = true;
    this.#release();
    const memory = new ArrayBuffer(PREFIX_BYTES);
    refusals.set(memory, error);
    return Buffer.from(memory);
  }

  #release(): void {
    if (this.#kept !== undefined) this.#onKept(-this.#kept.length);
    this.#kept = undefined;
    this.#keptBytes = PREFIX_BYTES;
  }
}

function undecodable(message: string): RpcError {
  return new RpcError({ code: status.INVALID_ARGUMENT, reason: "UNDECODABLE", message });
}
