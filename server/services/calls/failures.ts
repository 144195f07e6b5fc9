// What a failure means to clients, in one place: unary calls, streams, their commands, relays and introductions answer the
// same failure in the same way.
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { OverloadedError } from "../../auth/load/fair-queue.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";
import { StoreDamagedError, StoreUnavailableError } from "../../store/store.ts";

export class Failures {
  readonly #onUnexpected: (error: unknown, method: string) => void;

  /** @param onUnexpected receives the failures whose cause the client does not learn; it must not throw */
  constructor(onUnexpected: (error: unknown, method: string) => void) {
    this.#onUnexpected = onUnexpected;
  }

  /**
   * Converts the failure of a call or a command. An unexpected error is logged, and is STORE_UNAVAILABLE for the client,
   * which tries again later: most have a cause that passes, and none is the client's fault.
   */
  refusal(error: unknown, method: string): Refusal {
    if (error instanceof Refusal) return error;
    if (error instanceof OverloadedError) {
      return new Refusal(Reason.OVERLOADED, { retryDelayMs: limits.overloadedRetryMs });
    }
    // The store itself reports the damage.
    if (error instanceof StoreDamagedError) return new Refusal(Reason.DATA_DAMAGED);
    if (!(error instanceof StoreUnavailableError)) this.#onUnexpected(error, method);
    return new Refusal(Reason.STORE_UNAVAILABLE, { retryDelayMs: limits.overloadedRetryMs });
  }

  /** The same for the failure that ends a stream. The client comes back, also after the operator repaired the data. */
  ending(error: unknown, method: string): Refusal {
    const refusal = this.refusal(error, method);
    return refusal.reason === Reason.DATA_DAMAGED && refusal.retryDelayMs === undefined
      ? new Refusal(Reason.DATA_DAMAGED, { retryDelayMs: limits.damagedRetryMs })
      : refusal;
  }

  /** Runs the handler of a unary call. @throws RpcError */
  async unary<T>(method: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof RpcError ? error : this.refusal(error, method).toRpcError();
    }
  }

  /** Runs the handler of a stream. @throws RpcError */
  async stream(method: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw error instanceof RpcError ? error : this.ending(error, method).toRpcError();
    }
  }
}
