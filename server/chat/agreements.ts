// The introductions that were answered yes: good for their two devices, for a while, and counted by who asked.

export interface Agreement {
  readonly id: string;
  /** The device that asked, and the one that said yes. */
  readonly deviceIds: readonly [number, number];
  /** By performance.now(), ms. */
  readonly until: number;
}

export class Agreements implements Disposable {
  readonly #byId = new Map<string, { agreement: Agreement; timer: NodeJS.Timeout }>();
  readonly #counts = new Map<number, number>();

  /** @param userId who asked */
  add(id: string, userId: number, deviceIds: readonly [number, number], lifetimeMs: number): void {
    const timer = setTimeout(() => {
      this.#byId.delete(id);
      const left = this.countOf(userId) - 1;
      if (left > 0) this.#counts.set(userId, left);
      else this.#counts.delete(userId);
    }, lifetimeMs);
    timer.unref();
    this.#byId.set(id, { agreement: { id, deviceIds, until: performance.now() + lifetimeMs }, timer });
    this.#counts.set(userId, this.countOf(userId) + 1);
  }

  /** Undefined where there is none, it is over, or not for this device. */
  find(id: string, deviceId: number): Agreement | undefined {
    const agreement = this.#byId.get(id)?.agreement;
    return agreement?.deviceIds.includes(deviceId) === true ? agreement : undefined;
  }

  /** How many of the user's questions were answered yes, and are not over. */
  countOf(userId: number): number {
    return this.#counts.get(userId) ?? 0;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#byId.values()) clearTimeout(timer);
  }
}
