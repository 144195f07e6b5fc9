// Tells the server with whom private chats are open, and which accepted introductions led to no chat.
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { asError, type PrivateChatContext } from "./context.ts";

/** The delay before a report is repeated after a refusal without a retry delay, ms. */
const RETRY_MS = 5_000;
/** The most introductions in one report. */
const MAX_FAILED = 100;

export class OpenChatReports {
  readonly #context: PrivateChatContext;
  readonly #userIds: () => string[];
  /** Introductions that led to no chat and were not reported yet. */
  #failed: string[] = [];
  #reporting: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  /** @param userIds returns the ids of the users with whom chats are open */
  constructor(context: PrivateChatContext, userIds: () => string[]) {
    this.#context = context;
    this.#userIds = userIds;
  }

  /** Resolves when the reports so far have succeeded or failed. Never rejects. */
  get settled(): Promise<void> {
    return this.#reporting;
  }

  /** Like `settled`, but first repeats a report that the server has refused. */
  async upToDate(): Promise<void> {
    await this.#reporting;
    if (this.#retry === undefined) return;
    this.report();
    await this.#reporting;
  }

  /**
   * Sends a report. After a refusal it is repeated with a delay; if the server is unreachable, the next stream
   * triggers a new one.
   * @param failedId an accepted introduction that led to no chat
   */
  report(failedId?: string): void {
    const { calls, closing, emit } = this.#context.parts;
    if (closing.aborted) return;
    if (failedId !== undefined) this.#failed = [...this.#failed, failedId].slice(-MAX_FAILED);
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#reporting = this.#reporting.then(async () => {
      const failed = this.#failed;
      this.#failed = [];
      try {
        await calls.reportPrivateChats(this.#userIds(), failed);
      } catch (error) {
        this.#failed = [...failed, ...this.#failed].slice(-MAX_FAILED);
        if (error instanceof RpcError) this.#retryAfter(error.retryDelayMs ?? RETRY_MS);
        if (error instanceof RpcError || error instanceof ConnectError) return;
        await emit({ type: "background-error", error: asError(error) });
      }
    });
  }

  #retryAfter(delayMs: number): void {
    const { closing } = this.#context.parts;
    if (closing.aborted) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.report(), delayMs);
    // When the process ends, its private chats end, and the server notices that by itself.
    this.#retry.unref();
  }
}
