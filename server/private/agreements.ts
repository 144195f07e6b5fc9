// The introductions that were answered yes: good for their two devices, for a while, and counted by who asked.
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";

export interface Agreement {
  readonly id: string;
  /** Who asked, and who said yes. */
  readonly userIds: readonly [number, number];
  /** The device that asked, and the one that said yes. */
  readonly deviceIds: readonly [number, number];
  /** By the monotonic clock, ms. */
  readonly until: number;
}

export class Agreements implements Disposable {
  readonly #clock: Clock;
  readonly #byId = new Map<string, { agreement: Agreement; timer: Timer }>();
  readonly #counts = new Map<number, number>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  add(made: Omit<Agreement, "until">, lifetimeMs: number): void {
    const { id, userIds } = made;
    const timer = this.#clock.after(lifetimeMs, () => this.delete(id));
    this.#byId.set(id, { agreement: { ...made, until: this.#clock.monotonic() + lifetimeMs }, timer });
    this.#counts.set(userIds[0], this.countOf(userIds[0]) + 1);
  }

  /** Undefined where there is none, it is over, or not for this device. */
  find(id: string, deviceId: number): Agreement | undefined {
    const agreement = this.#byId.get(id)?.agreement;
    return agreement?.deviceIds.includes(deviceId) === true ? agreement : undefined;
  }

  /** From now on it is good for nothing. */
  delete(id: string): void {
    const held = this.#byId.get(id);
    if (held === undefined) return;
    held.timer[Symbol.dispose]();
    this.#byId.delete(id);
    const [caller] = held.agreement.userIds;
    const left = this.countOf(caller) - 1;
    if (left > 0) this.#counts.set(caller, left);
    else this.#counts.delete(caller);
  }

  /** How many of the user's questions were answered yes, and are not over. */
  countOf(userId: number): number {
    return this.#counts.get(userId) ?? 0;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#byId.values()) timer[Symbol.dispose]();
  }
}
