// Tells the server with whom chats are open, and so that what was agreed on has come to nothing.
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { asError, type PrivateChatContext } from "./context.ts";

/** After a refusal that names no delay, ms. */
const AGAIN_MS = 5_000;
/** As many as one report takes. */
const MOST_FAILED = 100;

export class OpenChatReports {
  readonly #context: PrivateChatContext;
  readonly #userIds: () => string[];
  /** Introductions that came to nothing, and of which the server was not told yet. */
  #failed: string[] = [];
  #reporting: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;

  /** @param userIds with whom chats are open now */
  constructor(context: PrivateChatContext, userIds: () => string[]) {
    this.#context = context;
    this.#userIds = userIds;
  }

  /** Resolves when what was reported so far has got there, or cannot. */
  get settled(): Promise<void> {
    return this.#reporting;
  }

  /** As settled; what the server has refused is reported once more. */
  async upToDate(): Promise<void> {
    await this.#reporting;
    if (this.#again === undefined) return;
    this.report();
    await this.#reporting;
  }

  /**
   * Where the server cannot be reached now, the next stream tells it; where it refuses, it is told again after a moment.
   * @param failedId an introduction that came to nothing after a yes
   */
  report(failedId?: string): void {
    const { calls, closing, emit } = this.#context.parts;
    if (closing.aborted) return;
    if (failedId !== undefined) this.#failed = [...this.#failed, failedId].slice(-MOST_FAILED);
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#reporting = this.#reporting.then(async () => {
      const failed = this.#failed;
      this.#failed = [];
      try {
        await calls.reportPrivateChats(this.#userIds(), failed);
      } catch (error) {
        this.#failed = [...failed, ...this.#failed].slice(-MOST_FAILED);
        if (error instanceof RpcError) this.#repeatAfter(error.retryDelayMs ?? AGAIN_MS);
        if (error instanceof RpcError || error instanceof ConnectError) return;
        await emit({ type: "background-error", error: asError(error) });
      }
    });
  }

  #repeatAfter(delayMs: number): void {
    const { closing } = this.#context.parts;
    if (closing.aborted) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.report(), delayMs);
    // A process that has nothing else to do ends, and with it what the report is about.
    this.#again.unref();
  }
}
