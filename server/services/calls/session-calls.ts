// The life of a call that lasts and is no stream of events: it takes from the session's bucket when it starts, and ends
// with its session, or with the server, as a stream does.
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { CallContext } from "../../../rpc/calls/handler.ts";
import type { ActiveSession } from "../../auth/sessions.ts";
import type { ClientManager } from "../../client-manager.ts";
import { Refusal } from "../../reasons.ts";
import { type Gate, toRpcError } from "./gate.ts";

export class SessionCalls {
  readonly #gate: Gate;
  readonly #manager: ClientManager;

  constructor(gate: Gate, manager: ClientManager) {
    this.#gate = gate;
    this.#manager = manager;
  }

  /** @param work is to end, by throwing the signal's reason, when the signal is aborted */
  async serve(
    call: CallContext,
    work: (session: ActiveSession, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    try {
      const session = await this.#gate.authenticate(call);
      const wait = session.bucket.take(1);
      if (wait > 0) throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: wait });
      const { user, sessionId } = session.row;
      const ended = new AbortController();
      const end = (ending: Refusal): void => ended.abort(ending);
      using _held = this.#manager.hold({ userId: user.userId, sessionId, end });
      // A session that ended before the call was held was told to nobody: ask once more.
      await this.#gate.authenticate(call);
      const lost = (): void => end(new Refusal(Reason.CANCELLED));
      if (call.signal.aborted) lost();
      else call.signal.addEventListener("abort", lost, { once: true });
      ended.signal.throwIfAborted();
      await work(session, ended.signal);
    } catch (error) {
      throw toRpcError(error);
    }
  }
}

/** Rejects with the signal's reason. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Refusal(Reason.CANCELLED));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
