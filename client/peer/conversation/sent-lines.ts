// The own lines of a private chat: their numbers, and which of them the peer has not acknowledged.
import { Reason } from "../../../gen/parley/peer/v1/peer_service.ts";
import { conversationLimits } from "./line-rules.ts";
import { refusal } from "./refusals.ts";

interface SentLine {
  readonly text: string;
  readonly bytes: number;
}

export class SentLines {
  /** By number. */
  readonly #unacknowledged = new Map<bigint, SentLine>();
  #unacknowledgedBytes = 0;
  #last = 0n;
  #received = 0n;
  #read = 0n;

  /** The texts of the lines that the peer has not acknowledged, in order. */
  get undelivered(): readonly string[] {
    return [...this.#unacknowledged.values()].map(({ text }) => text);
  }

  get allAcknowledged(): boolean {
    return this.#unacknowledged.size === 0;
  }

  /** Whether so much is unacknowledged that no more may be sent. */
  get isFull(): boolean {
    return (
      this.#unacknowledged.size >= conversationLimits.unacknowledged ||
      this.#unacknowledgedBytes >= conversationLimits.unacknowledgedBytes
    );
  }

  /** Adds a line, and returns its number. */
  add(text: string, bytes: number): bigint {
    this.#last++;
    this.#unacknowledged.set(this.#last, { text, bytes });
    this.#unacknowledgedBytes += bytes;
    return this.#last;
  }

  /** Handles the marks of the peer. @throws RpcError MARKS_INVALID */
  acknowledge(received: bigint, read: bigint): void {
    if (received < this.#received || read < this.#read || received > this.#last || read > received) {
      throw refusal(Reason.MARKS_INVALID, "Marks must rise, and not beyond the newest line.");
    }
    for (let number = this.#received + 1n; number <= received; number++) {
      this.#unacknowledgedBytes -= this.#unacknowledged.get(number)?.bytes ?? 0;
      this.#unacknowledged.delete(number);
    }
    this.#received = received;
    this.#read = read;
  }
}
