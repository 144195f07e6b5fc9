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
  /** By session, and by user: the number of halves. A half counts until it is disposed of, also after its session. */
  readonly #ofSession = new Counts();
  readonly #ofUser = new Counts();

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
  enter(
    { user, sessionId, deviceId }: Pick<SessionRow, "user" | "sessionId" | "deviceId">,
    introductionId: string,
    outbox: Outbox,
  ): RelayHalf {
    const agreement = this.#agreements.find(introductionId, deviceId);
    const slots = (agreement && this.#slots.get(agreement)) ?? new Map<number, Slot>();
    if (agreement === undefined || slots.has(deviceId)) {
      throw new Refusal(Reason.INTRODUCTION_NOT_FOUND, { field: "opening.introduction_id" });
    }
    this.#checkCounts(user.userId, sessionId);
    const [other] = slots.values();
    this.#slots.set(agreement, slots);
    if (other === "left") {
      slots.set(deviceId, "left");
      throw new Refusal(Reason.RELAY_PEER_GONE);
    }
    const onGone = (): void => {
      slots.set(deviceId, "left");
      this.#ofSession.remove(sessionId);
      this.#ofUser.remove(user.userId);
    };
    const half = new RelayHalf(outbox, onGone, this.#clock);
    slots.set(deviceId, half);
    this.#ofSession.add(sessionId);
    this.#ofUser.add(user.userId);
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

  /** @throws Refusal RATE_LIMITED */
  #checkCounts(userId: number, sessionId: number): void {
    const full =
      this.#ofSession.of(sessionId) >= limits.relaysPerSession
        ? { who: "session", maximum: limits.relaysPerSession }
        : this.#ofUser.of(userId) >= limits.relaysPerUser
          ? { who: "user", maximum: limits.relaysPerUser }
          : undefined;
    if (full === undefined) return;
    throw new Refusal(Reason.RATE_LIMITED, {
      message: `A ${full.who} may have at most ${full.maximum} relays at the same time.`,
      retryDelayMs: limits.introductionRetryMs,
      facts: { maximum: full.maximum },
    });
  }
}

/** Counts things by the id of their owner. */
class Counts {
  readonly #byId = new Map<number, number>();

  of(id: number): number {
    return this.#byId.get(id) ?? 0;
  }

  add(id: number): void {
    this.#byId.set(id, this.of(id) + 1);
  }

  remove(id: number): void {
    const left = this.of(id) - 1;
    if (left > 0) this.#byId.set(id, left);
    else this.#byId.delete(id);
  }
}
