// One device's side of a relay: limits what the device sends, and forwards it to the other half. It MUST:
//  1. forward each piece once, in order, and only to the other half;
//  2. grant credit only for bytes that the other device has taken, so that at most one window of bytes is queued;
//  3. neither store nor log the bytes that it forwards.
import { RelayResponse } from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { asBuffer } from "../../rpc/wire/bytes.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { TokenBucket } from "../auth/token-bucket.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";

export class RelayHalf implements Disposable {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #onGone: () => void;
  readonly #rate: TokenBucket;
  readonly #ended = Promise.withResolvers<Refusal>();
  readonly #watch: Timer;
  /** How many bytes the device may still send. */
  #credit = 0;
  /** How many bytes the device has sent for which no new credit was granted. */
  #uncredited = 0;
  #other: RelayHalf | undefined;
  #grantTimer: Timer | undefined;

  /**
   * @param outbox an outbox that makes each piece a separate frame
   * @param onGone called once when the half is disposed of
   */
  constructor(outbox: Outbox, onGone: () => void, clock: Clock) {
    this.#clock = clock;
    this.#rate = new TokenBucket(limits.relayBytesPerSecond, limits.relayWindowBytes, clock);
    this.#outbox = outbox;
    this.#onGone = onGone;
    this.#watch = clock.every(limits.slowReaderMs / 10, () => {
      if (outbox.stalledMs >= limits.slowReaderMs) this.end(new Refusal(Reason.SLOW_READER));
    });
  }

  /** Resolves with the reason when the half has to end. */
  get ended(): Promise<Refusal> {
    return this.#ended.promise;
  }

  get isJoined(): boolean {
    return this.#other !== undefined;
  }

  end(ending: Refusal): void {
    this.#ended.resolve(ending);
  }

  /** Allows bytes to flow from this half to the other one. The caller must also join the other half to this one. */
  join(other: RelayHalf): void {
    this.#other = other;
    this.#credit = limits.relayWindowBytes;
    // The first window uses the burst that the rate allows, so it is taken from the bucket.
    this.#rate.take(limits.relayWindowBytes);
    other.#outbox.onTaken(() => {
      this.#grantCredit();
      // The other half grants no credit while its own device does not read.
      other.#grantCredit();
    });
    this.#send({ $case: "joined", value: { credit: this.#credit } });
  }

  /**
   * Forwards a piece of the device. Resolves when there is room for the next one.
   * @throws Refusal INVALID_FIELD, RELAY_CREDIT_EXCEEDED
   */
  async accept(data: Uint8Array): Promise<void> {
    const { length } = data;
    if (length === 0 || length > limits.relayPieceBytes) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "data",
        message: `A piece must have 1 to ${limits.relayPieceBytes} bytes.`,
      });
    }
    const other = this.#other;
    if (other === undefined || length > this.#credit) throw new Refusal(Reason.RELAY_CREDIT_EXCEEDED);
    this.#credit -= length;
    this.#uncredited += length;
    other.#send({ $case: "data", value: asBuffer(data) });
    // Small pieces take more memory than their bytes. Credit does not count the difference, so reading pauses instead.
    await other.#outbox.whenBelowSoft();
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#grantTimer?.[Symbol.dispose]();
    this.#onGone();
    this.#other?.end(new Refusal(Reason.RELAY_PEER_GONE));
  }

  /** Grants credit for the bytes that the other device has taken, as fast as the rate allows. */
  #grantCredit(): void {
    const other = this.#other;
    if (other === undefined || this.#grantTimer !== undefined || this.#outbox.aboveSoft) return;
    let due = this.#uncredited - Math.min(this.#uncredited, other.#outbox.bytes);
    let granted = 0;
    while (due >= limits.relayCreditBytes) {
      const wait = this.#rate.take(limits.relayCreditBytes);
      if (wait > 0) {
        this.#grantLater(wait);
        break;
      }
      due -= limits.relayCreditBytes;
      granted += limits.relayCreditBytes;
    }
    if (granted === 0) return;
    this.#credit += granted;
    this.#uncredited -= granted;
    this.#send({ $case: "credit", value: granted });
  }

  #grantLater(waitMs: number): void {
    this.#grantTimer = this.#clock.after(waitMs, () => {
      this.#grantTimer = undefined;
      this.#grantCredit();
    });
  }

  #send(kind: RelayResponse["kind"]): void {
    this.#outbox.push(RelayResponse.encode({ kind }).finish());
  }
}
