// Serves long calls that are not event streams. Like a stream, such a call ends with its session or with the server.
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { Admitting, CallContext } from "../../../rpc/calls/handler.ts";
import type { Outbox } from "../../../rpc/calls/outbox.ts";
import type { ActiveSession } from "../../auth/sessions.ts";
import type { ClientManager } from "../../client-manager.ts";
import { Refusal } from "../../reasons.ts";
import { type Gate, takeTokens } from "./gate.ts";

export class SessionCalls {
  readonly #gate: Gate;
  readonly #manager: ClientManager;

  constructor(gate: Gate, manager: ClientManager) {
    this.#gate = gate;
    this.#manager = manager;
  }

  /**
   * Makes a method whose calls run the work. Token and rate are checked before a byte of the request is read.
   * @param work must throw endingOf(signal) when the signal is aborted
   */
  serve<Input>(
    work: (input: Input, outbox: Outbox, session: ActiveSession, signal: AbortSignal) => Promise<void>,
  ): Admitting<(input: Input, outbox: Outbox, call: CallContext) => Promise<void>> {
    return this.#gate.admitting((session) => {
      takeTokens(session, 1);
      return (input, outbox, call) =>
        this.#gate.failures.stream(call.method, async () => {
          const { user, sessionId } = session.row;
          const ended = new AbortController();
          const end = (ending: Refusal): void => ended.abort(ending);
          using _held = this.#manager.hold({ userId: user.userId, sessionId, end });
          // Check again: the session may have ended before `hold`, when the manager could not yet end the call.
          await this.#gate.authenticate(call);
          const lost = (): void => end(new Refusal(Reason.CANCELLED));
          if (call.signal.aborted) lost();
          else call.signal.addEventListener("abort", lost, { once: true });
          ended.signal.throwIfAborted();
          await work(input, outbox, session, ended.signal);
        });
    });
  }
}

/** The reason of an aborted signal. */
export function endingOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Refusal(Reason.CANCELLED);
}
