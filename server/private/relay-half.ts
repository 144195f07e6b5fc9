// One device's side of a relay: what it may send, and the way to the other one. It MUST:
//  1. hand on each piece once, in the order in which they came, and to nobody but the other half;
//  2. give credit only for bytes that the other device has taken, so that no more than the window waits for anybody;
//  3. keep and log nothing of what it carries.
import { RelayResponse } from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { asBuffer } from "../../rpc/wire/bytes.ts";
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import { TokenBucket } from "../auth/token-bucket.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";

export class RelayHalf implements Disposable {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #onGone: () => void;
  readonly #rate = new TokenBucket(limits.relayBytesPerSecond, limits.relayWindowBytes);
  readonly #ended = Promise.withResolvers<Refusal>();
  readonly #watch: Timer;
  /** How many bytes the device may still send. */
  #credit = 0;
  /** Bytes that it sent and that no new credit was given for. */
  #unpaid = 0;
  #other: RelayHalf | undefined;
  #paying: Timer | undefined;

  /**
   * @param outbox its frames are single pieces
   * @param onGone called once, when the half is disposed of
   */
  constructor(outbox: Outbox, onGone: () => void, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#onGone = onGone;
    this.#watch = clock.every(limits.slowReaderMs / 10, () => {
      if (outbox.stalledMs >= limits.slowReaderMs) this.end(new Refusal(Reason.SLOW_READER));
    });
  }

  /** Resolves with the reason, when the half has to end. */
  get ended(): Promise<Refusal> {
    return this.#ended.promise;
  }

  get isJoined(): boolean {
    return this.#other !== undefined;
  }

  end(ending: Refusal): void {
    this.#ended.resolve(ending);
  }

  /** From now on bytes may flow from this one to the other; join the other one, too. */
  join(other: RelayHalf): void {
    this.#other = other;
    this.#credit = limits.relayWindowBytes;
    // What may be sent at once is the burst; all that comes later has to be earned.
    this.#rate.take(limits.relayWindowBytes);
    other.#outbox.onTaken(() => {
      this.#pay();
      // Its own credit may have waited for its device to read.
      other.#pay();
    });
    this.#say({ $case: "joined", value: { credit: this.#credit } });
  }

  /**
   * Takes a piece from the device, and resolves when there is room for the next one.
   * @throws Refusal INVALID_FIELD, RELAY_CREDIT_EXCEEDED
   */
  async accept(data: Uint8Array): Promise<void> {
    const { length } = data;
    if (length === 0 || length > limits.relayPieceBytes) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "data",
        message: `A piece has 1 to ${limits.relayPieceBytes} bytes.`,
      });
    }
    const other = this.#other;
    if (other === undefined || length > this.#credit) throw new Refusal(Reason.RELAY_CREDIT_EXCEEDED);
    this.#credit -= length;
    this.#unpaid += length;
    other.#say({ $case: "data", value: asBuffer(data) });
    // Many small pieces cost more than their bytes: not to read on is what bounds them.
    await other.#outbox.whenBelowSoft();
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#paying?.[Symbol.dispose]();
    this.#onGone();
    this.#other?.end(new Refusal(Reason.RELAY_PEER_GONE));
  }

  /** Gives credit for what the other device has taken, as fast as the rate allows. */
  #pay(): void {
    const other = this.#other;
    if (other === undefined || this.#paying !== undefined || this.#outbox.aboveSoft) return;
    let due = this.#unpaid - Math.min(this.#unpaid, other.#outbox.bytes);
    let paid = 0;
    while (due >= limits.relayCreditBytes) {
      const wait = this.#rate.take(limits.relayCreditBytes);
      if (wait > 0) {
        this.#payLater(wait);
        break;
      }
      due -= limits.relayCreditBytes;
      paid += limits.relayCreditBytes;
    }
    if (paid === 0) return;
    this.#credit += paid;
    this.#unpaid -= paid;
    this.#say({ $case: "credit", value: paid });
  }

  #payLater(waitMs: number): void {
    this.#paying = this.#clock.after(waitMs, () => {
      this.#paying = undefined;
      this.#pay();
    });
  }

  #say(kind: RelayResponse["kind"]): void {
    this.#outbox.push(RelayResponse.encode({ kind }).finish());
  }
}
