// What a person hears of the connection: one line when it is really lost, one when it is back.
import { RpcError } from "../../../../rpc/status/status.ts";
import type { LinkState } from "../../../link/model/events.ts";
import type { Clock } from "../model/clock.ts";

/** A connection that is back within this was not worth a word, ms. */
const PATIENCE_MS = 2_000;

export interface ConnectionStateOptions {
  readonly clock: Clock;
  readonly address: string;
  tell(sentence: string): void;
}

export class ConnectionState implements Disposable {
  readonly #options: ConnectionStateOptions;
  #state: LinkState = { phase: "connecting", attempt: 1 };
  #timer: Disposable | undefined;
  #told = false;
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
    // What was missed comes next: it is to stand below this line.
    if (state.phase === "catching-up" || state.phase === "live") this.#back();
    else if (state.phase === "waiting" && !this.#told && this.#timer === undefined) this.#lost(state.cause);
    else if (state.phase === "ended") this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #lost(cause: Error): void {
    const tell = (): void => {
      this.#timer = undefined;
      this.#told = true;
      const { address } = this.#options;
      const what = this.#wasLive ? `The connection to ${address} is lost` : `${address} cannot be reached`;
      this.#options.tell(`${what} (${reasonOf(cause)}). What you send is kept until it is back.`);
    };
    if (this.#wasLive) this.#timer = this.#options.clock.after(PATIENCE_MS, tell);
    else tell();
  }

  #back(): void {
    this[Symbol.dispose]();
    if (this.#told && this.#wasLive) this.#options.tell("Connected again.");
    this.#told = false;
    this.#wasLive = true;
  }
}

/** In the middle of a sentence. */
function reasonOf(cause: Error): string {
  if (cause instanceof RpcError && cause.reason === "SERVER_STOPPING") return "the server is stopping";
  return cause.message.replace(/\.$/, "");
}
