// The state of the connection, and what the user is told about it: one line when it is lost, and one when it is back.
import { RpcError } from "../../../../rpc/status/status.ts";
import type { Clock } from "../../../../time/clock.ts";
import type { LinkState } from "../../../link/model/events.ts";

/** A loss that is shorter than this is not reported, ms. */
const PATIENCE_MS = 2_000;

export interface ConnectionStateOptions {
  readonly clock: Clock;
  readonly address: string;
  notify(sentence: string): void;
}

export class ConnectionState implements Disposable {
  readonly #options: ConnectionStateOptions;
  #state: LinkState = { phase: "connecting", attempt: 1 };
  #timer: Disposable | undefined;
  #isReported = false;
  #wasLive = false;

  constructor(options: ConnectionStateOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  get isLive(): boolean {
    return this.#state.phase === "live";
  }

  take(state: LinkState): void {
    this.#state = state;
    // Reported before the missed messages are shown, so that they appear below this line.
    if (state.phase === "catching-up" || state.phase === "live") this.#back();
    else if (state.phase === "waiting" && !this.#isReported && this.#timer === undefined)
      this.#lost(state.cause);
    else if (state.phase === "ended") this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #lost(cause: Error): void {
    const report = (): void => {
      this.#timer = undefined;
      this.#isReported = true;
      const { address } = this.#options;
      const what = this.#wasLive ? `The connection to ${address} is lost` : `${address} cannot be reached`;
      this.#options.notify(`${what} (${reasonOf(cause)}). Messages you send now wait until it is back.`);
    };
    if (this.#wasLive) this.#timer = this.#options.clock.after(PATIENCE_MS, report);
    else report();
  }

  #back(): void {
    this[Symbol.dispose]();
    if (this.#isReported && this.#wasLive) this.#options.notify("Connected again.");
    this.#isReported = false;
    this.#wasLive = true;
  }
}

/** The cause, worded for the middle of a sentence. */
function reasonOf(cause: Error): string {
  if (cause instanceof RpcError && cause.reason === "SERVER_STOPPING") return "the server is stopping";
  return cause.message.replace(/\.$/, "");
}
