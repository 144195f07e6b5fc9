// Removes the streams of nodes whose lease is over, a grace period after it was good for the last time. Every node does
// this for all others, and a node that starts does it for the process before.
import type { Clock, Timer } from "../../../time/clock.ts";
import { limits } from "../../limits.ts";
import type { NodeLease } from "../../nodes/node-lease.ts";
import type { PresenceStore } from "../../store/store.ts";

export interface DeadNodesOptions {
  readonly store: Pick<PresenceStore, "sweep" | "nextSweep">;
  readonly lease: NodeLease;
  readonly graceMs: number;
  readonly clock: Clock;
  /** Receives failures of the store that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
  /** Called when a user went offline. */
  readonly onChange: () => void;
}

export class DeadNodes implements AsyncDisposable {
  readonly #options: DeadNodesOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isDisposed = false;

  constructor(options: DeadNodesOptions) {
    this.#options = options;
    options.lease.onRenewed(() => this.#sweepSoon());
  }

  /** Removes what is due now, and sets a timer for what will be due before the next renewal of the lease. */
  sweep(): Promise<void> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#running?.catch(() => undefined);
  }

  async #sweep(): Promise<void> {
    const { store, lease, graceMs, clock, onChange } = this.#options;
    while (!this.#isDisposed) {
      const next = await store.nextSweep(lease.epoch, graceMs);
      if (next === undefined || this.#isDisposed) return;
      const leftMs = next - clock.now();
      if (leftMs > 0) {
        this.#timer?.[Symbol.dispose]();
        if (leftMs < limits.leaseRenewalMs) this.#timer = clock.after(leftMs, () => this.#sweepSoon());
        return;
      }
      if (await store.sweep(lease.epoch, clock.now(), graceMs, limits.sweptStreams)) onChange();
    }
  }

  #sweepSoon(): void {
    if (!this.#isDisposed) this.sweep().catch(this.#options.onError);
  }
}
