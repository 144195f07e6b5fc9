// Which relays there are: two halves, of the two devices of an introduction, each of which comes once and in time.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { SessionRow } from "../store/store.ts";
import type { Agreement, Agreements } from "./agreements.ts";
import { RelayHalf } from "./relay-half.ts";

/** A device's half, or that it has come and gone. */
type Place = RelayHalf | "left";

export class Relays {
  readonly #agreements: Agreements;
  readonly #clock: Clock;
  /** By device; forgotten with the agreement. */
  readonly #places = new WeakMap<Agreement, Map<number, Place>>();
  /** How many each session has. */
  readonly #counts = new Map<number, number>();

  constructor(agreements: Agreements, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#agreements = agreements;
  }

  /**
   * The session's device takes its place, until the half is disposed of. It is joined with the other half if that is
   * there, or as soon as it comes; where it does not come in time, the half ends.
   * @throws Refusal INTRODUCTION_NOT_FOUND, RATE_LIMITED, RELAY_PEER_GONE
   */
  enter({ sessionId, deviceId }: SessionRow, introductionId: string, outbox: Outbox): RelayHalf {
    const agreement = this.#agreements.find(introductionId, deviceId);
    const places = (agreement && this.#places.get(agreement)) ?? new Map<number, Place>();
    if (agreement === undefined || places.has(deviceId)) {
      throw new Refusal(Reason.INTRODUCTION_NOT_FOUND, { field: "opening.introduction_id" });
    }
    const count = this.#counts.get(sessionId) ?? 0;
    if (count >= limits.relaysPerSession) {
      throw new Refusal(Reason.RATE_LIMITED, {
        message: `A session has at most ${limits.relaysPerSession} relays at once.`,
        retryDelayMs: limits.introductionRetryMs,
      });
    }
    const [other] = places.values();
    this.#places.set(agreement, places);
    if (other === "left") {
      places.set(deviceId, "left");
      throw new Refusal(Reason.RELAY_PEER_GONE);
    }
    const leftMs = Math.max(0, agreement.until - this.#clock.monotonic());
    const late = this.#clock.after(leftMs, () => {
      if (!half.isJoined) half.end(new Refusal(Reason.RELAY_PEER_GONE));
    });
    const onGone = (): void => {
      late[Symbol.dispose]();
      places.set(deviceId, "left");
      this.#release(sessionId);
    };
    const half = new RelayHalf(outbox, onGone, this.#clock);
    places.set(deviceId, half);
    this.#counts.set(sessionId, count + 1);
    if (other !== undefined) {
      other.join(half);
      half.join(other);
    }
    return half;
  }

  #release(sessionId: number): void {
    const left = (this.#counts.get(sessionId) ?? 0) - 1;
    if (left > 0) this.#counts.set(sessionId, left);
    else this.#counts.delete(sessionId);
  }
}
