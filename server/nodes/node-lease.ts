// The lease of this node: what the store holds for this process is valid while the lease is renewed.
import type { Clock, Timer } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import type { NodeStore } from "../store/store.ts";

export interface NodeLeaseOptions {
  /** Names the node among all that work on the store. A process that starts again with the same id replaces the last one. */
  readonly nodeId: string;
  readonly store: NodeStore;
  readonly clock: Clock;
  /** Receives failures of the store that no caller is waiting for. */
  readonly onError: (error: unknown) => void;
}

export class NodeLease implements AsyncDisposable {
  readonly nodeId: string;
  readonly #options: NodeLeaseOptions;
  readonly #listeners: ((isNew: boolean) => void)[] = [];
  #epoch = 0;
  #timer: Timer | undefined;
  /** The write that is running. */
  #running: Promise<void> | undefined;
  #isDisposed = false;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
  }

  /** Takes the lease, and renews it from then on. */
  async start(): Promise<void> {
    await this.#take();
    this.#timer = this.#options.clock.every(limits.leaseRenewalMs, () => {
      this.#once(() => this.#renew()).catch(this.#options.onError);
    });
  }

  /** Identifies the lease. It changes when the lease was lost. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Calls the listener after each renewal; with `true` after the lease was lost, and was taken again. */
  onRenewed(listener: (isNew: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Call it when the store has refused this epoch because its lease is lost. Resolves when there is a new one. */
  async lost(epoch: number): Promise<void> {
    // A renewal that is running may have found the same, or was before the loss.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    if (epoch === this.#epoch && !this.#isDisposed) await this.#once(() => this.#retake());
  }

  /** Ends the lease, so that other nodes need not wait until it is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#running?.catch(() => undefined);
    await this.#options.store.end(this.#epoch, this.#options.clock.now());
  }

  async #renew(): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.now();
    if (await store.renew(this.#epoch, now, now + limits.leaseMs)) this.#notify(false);
    else await this.#retake();
  }

  async #retake(): Promise<void> {
    await this.#take();
    this.#notify(true);
  }

  async #take(): Promise<void> {
    const { store, clock, nodeId } = this.#options;
    const now = clock.now();
    this.#epoch = await store.take(nodeId, now, now + limits.leaseMs);
  }

  #notify(isNew: boolean): void {
    if (this.#isDisposed) return;
    for (const listener of this.#listeners) listener(isNew);
  }

  /** Runs the write, or waits for the one that is running. */
  #once(write: () => Promise<void>): Promise<void> {
    this.#running ??= write().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
