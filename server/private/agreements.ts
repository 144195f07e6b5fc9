// The introductions that were accepted. Each is valid only for its two devices and for a limited time.
import type { Clock, Timer } from "../../time/clock.ts";

export interface Agreement {
  readonly id: string;
  /** The caller, who asked, and the callee, who accepted. */
  readonly userIds: readonly [number, number];
  /** The device that asked, and the device that accepted. */
  readonly deviceIds: readonly [number, number];
}

export class Agreements implements Disposable {
  readonly #clock: Clock;
  readonly #byId = new Map<string, { agreement: Agreement; timer: Timer }>();
  /** By caller: the number of valid agreements. */
  readonly #counts = new Map<number, number>();
  #onEnd: ((agreement: Agreement) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets the only listener, which is called when an agreement has expired or was ended. */
  onEnd(listener: (agreement: Agreement) => void): void {
    this.#onEnd = listener;
  }

  add(agreement: Agreement, lifetimeMs: number): void {
    const { id, userIds } = agreement;
    const timer = this.#clock.after(lifetimeMs, () => this.delete(id));
    this.#byId.set(id, { agreement, timer });
    this.#counts.set(userIds[0], this.countOf(userIds[0]) + 1);
  }

  /** The agreement with this id; undefined if there is none, it has expired, or it is not for this device. */
  find(id: string, deviceId: number): Agreement | undefined {
    const agreement = this.#byId.get(id)?.agreement;
    return agreement?.deviceIds.includes(deviceId) === true ? agreement : undefined;
  }

  /** Ends the agreement before it expires. */
  delete(id: string): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    entry.timer[Symbol.dispose]();
    this.#byId.delete(id);
    const [caller] = entry.agreement.userIds;
    const left = this.countOf(caller) - 1;
    if (left > 0) this.#counts.set(caller, left);
    else this.#counts.delete(caller);
    this.#onEnd?.(entry.agreement);
  }

  /** The number of valid agreements for which this user is the caller. */
  countOf(userId: number): number {
    return this.#counts.get(userId) ?? 0;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#byId.values()) timer[Symbol.dispose]();
  }
}
