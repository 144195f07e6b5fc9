// Tells the server with whom chats are open, and so that what was agreed on has come to nothing.
import { ConnectError } from "../../rpc/connect-error.ts";
import { RpcError } from "../../rpc/status.ts";
import { asError, type Desk } from "./desk.ts";

/** As many as one report takes. */
const MOST_FAILED = 100;

export class Reports {
  readonly #desk: Desk;
  readonly #userIds: () => string[];
  /** Introductions that came to nothing, and of which the server was not told yet. */
  #failed: string[] = [];
  #reporting: Promise<void> = Promise.resolve();

  /** @param userIds with whom chats are open now */
  constructor(desk: Desk, userIds: () => string[]) {
    this.#desk = desk;
    this.#userIds = userIds;
  }

  /** Resolves when what was reported so far has got there, or cannot. */
  get settled(): Promise<void> {
    return this.#reporting;
  }

  /**
   * Where the server cannot be told now, the next stream tells it.
   * @param failedId an introduction that came to nothing after a yes
   */
  report(failedId?: string): void {
    const { calls, closing, emit } = this.#desk.parts;
    if (closing.aborted) return;
    if (failedId !== undefined) this.#failed = [...this.#failed, failedId].slice(-MOST_FAILED);
    this.#reporting = this.#reporting.then(async () => {
      const failed = this.#failed;
      this.#failed = [];
      try {
        await calls.reportPrivateChats(this.#userIds(), failed);
      } catch (error) {
        this.#failed = [...failed, ...this.#failed].slice(-MOST_FAILED);
        if (error instanceof RpcError || error instanceof ConnectError) return;
        await emit({ type: "trouble", error: asError(error) });
      }
    });
  }
}
