// The open relays. A relay has two halves, one for each device of an agreement; each device may join once.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import type { Clock } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { SessionRow } from "../store/store.ts";
import type { Agreement, Agreements } from "./agreements.ts";
import { RelayHalf } from "./relay-half.ts";

/** The half of a device, or "left" after the half was disposed of. */
type Slot = RelayHalf | "left";

export class Relays {
  readonly #agreements: Agreements;
  readonly #clock: Clock;
  /** By agreement, then by device: the halves. */
  readonly #slots = new WeakMap<Agreement, Map<number, Slot>>();
  /** By session: the number of its halves. */
  readonly #counts = new Map<number, number>();

  constructor(agreements: Agreements, clock: Clock) {
    this.#clock = clock;
    this.#agreements = agreements;
    agreements.onEnd((agreement) => this.#endWaiting(agreement));
  }

  /**
   * Adds the half of the session's device, until it is disposed of. It is joined with the other half as soon as both
   * exist. If the agreement ends first, the half ends with RELAY_PEER_GONE.
   * @throws Refusal INTRODUCTION_NOT_FOUND, RATE_LIMITED, RELAY_PEER_GONE
   */
  enter({ sessionId, deviceId }: SessionRow, introductionId: string, outbox: Outbox): RelayHalf {
    const agreement = this.#agreements.find(introductionId, deviceId);
    const slots = (agreement && this.#slots.get(agreement)) ?? new Map<number, Slot>();
    if (agreement === undefined || slots.has(deviceId)) {
      throw new Refusal(Reason.INTRODUCTION_NOT_FOUND, { field: "opening.introduction_id" });
    }
    const count = this.#counts.get(sessionId) ?? 0;
    if (count >= limits.relaysPerSession) {
      throw new Refusal(Reason.RATE_LIMITED, {
        message: `A session may have at most ${limits.relaysPerSession} relays at the same time.`,
        retryDelayMs: limits.introductionRetryMs,
      });
    }
    const [other] = slots.values();
    this.#slots.set(agreement, slots);
    if (other === "left") {
      slots.set(deviceId, "left");
      throw new Refusal(Reason.RELAY_PEER_GONE);
    }
    const onGone = (): void => {
      slots.set(deviceId, "left");
      this.#release(sessionId);
    };
    const half = new RelayHalf(outbox, onGone, this.#clock);
    slots.set(deviceId, half);
    this.#counts.set(sessionId, count + 1);
    if (other !== undefined) {
      other.join(half);
      half.join(other);
    }
    return half;
  }

  /** Ends the half that waits for the other device: the agreement has expired, or a device has reported its failure. */
  #endWaiting(agreement: Agreement): void {
    for (const slot of this.#slots.get(agreement)?.values() ?? []) {
      if (slot !== "left" && !slot.isJoined) slot.end(new Refusal(Reason.RELAY_PEER_GONE));
    }
  }

  #release(sessionId: number): void {
    const left = (this.#counts.get(sessionId) ?? 0) - 1;
    if (left > 0) this.#counts.set(sessionId, left);
    else this.#counts.delete(sessionId);
  }
}
