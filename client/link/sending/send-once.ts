// Sends one message by unary calls, for programs that do not keep a stream: repeated under one id until the outcome is
// known.
import type { Ack } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { delay } from "../../../time/wait.ts";
import { isConnectionLost, isLoggedOut, OutcomeUnknownError, refusal } from "../model/errors.ts";
import type { SendTarget } from "../model/send-queue.ts";
import { type Account, textContent } from "../server/account.ts";
import { Backoff } from "../server/backoff.ts";
import { decideRetry } from "../server/retry-decision.ts";

/** The options of `sendOnce`. */
export interface SendOnceOptions {
  /** The id of the send. Under the same id, with the same target and text, the server stores the message once. */
  readonly clientMessageId: bigint;
  /** The target. */
  readonly target: SendTarget;
  /**
   * Called if the server has this id for an earlier send ("repeated": of the same text), although no attempt of this call
   * can have caused that. Returns the id under which to send instead, or undefined to keep the answer. If it is not set,
   * every answer is kept.
   */
  readonly renumber?: (found: "repeated" | "reused") => bigint | undefined;
  /** At least one character, without NUL. Servers accept about 32 KiB by default. */
  readonly text: string;
  /** How long to try, ms; default 10 s. The first attempt is made in any case. */
  readonly waitMs?: number;
  /** Stops the attempts. The send then rejects with an OutcomeUnknownError if the message may be stored. */
  readonly signal?: AbortSignal;
}

/** The default limit of servers. A unary caller receives no Welcome, which has the exact one. */
const usualTextBytes = 32 * 1024;
/** Every server refuses a larger request at the transport, without a reason. */
const maxTextBytes = 250 * 1024;

/** Reasons with which a server may answer although it has stored the message. */
const unsureReasons = ["STORE_UNAVAILABLE", "INTERNAL", "CANCELLED", "SERVER_STOPPING"];

/**
 * Sends a text; resolves when it is stored.
 * @throws RpcError: the server refused the message, and did not store it
 * @throws ConnectError: there was no connection, and nothing was sent
 * @throws OutcomeUnknownError: the message may be stored or not; sending it again under the same id is safe
 */
export async function sendOnce(account: Account, options: SendOnceOptions): Promise<Ack> {
  const { waitMs = 10_000, signal } = options;
  let { clientMessageId, renumber } = options;
  const bytes = Buffer.byteLength(options.text);
  if (bytes > maxTextBytes) {
    const message = `The message is ${bytes} bytes long; servers accept about ${usualTextBytes}.`;
    throw refusal(Reason.CONTENT_TOO_LARGE, message, "content.text");
  }
  const deadline = performance.now() + waitMs;
  const backoff = new Backoff();
  let maybeStored = false;
  for (;;) {
    const leftMs = Math.max(1, deadline - performance.now());
    const failure = await attempt(account, { ...options, clientMessageId }, leftMs);
    const found = maybeStored ? undefined : usedBefore(failure);
    const other = found === undefined ? undefined : renumber?.(found);
    if (other !== undefined) {
      clientMessageId = other;
      // A server that finds the second id used as well is not believed.
      renumber = undefined;
      continue;
    }
    if (!(failure instanceof Error)) return failure;
    maybeStored ||= mayBeStored(failure);
    const decision = decideRetry(failure);
    const again = decision.kind === "retry" || isUnsure(failure);
    const delayMs = backoff.next(decision.kind === "retry" ? decision.floorMs : 0);
    if (!again || signal?.aborted === true || performance.now() + delayMs >= deadline) {
      // That the session has ended says nothing about earlier attempts; any other refusal is about this message.
      const answered =
        failure instanceof RpcError && !mayBeStored(failure) && !isLoggedOut(failure) && !again;
      throw maybeStored && !answered ? new OutcomeUnknownError(clientMessageId, failure) : failure;
    }
    await delay(delayMs, signal);
  }
}

/** What the answer to a first attempt says about an earlier use of its id. */
export function usedBefore(answer: Ack | Error): "repeated" | "reused" | undefined {
  if (!(answer instanceof Error)) return answer.repeatedSend ? "repeated" : undefined;
  return answer instanceof RpcError && answer.reason === "CLIENT_MESSAGE_ID_REUSED" ? "reused" : undefined;
}

async function attempt(account: Account, options: SendOnceOptions, timeoutMs: number): Promise<Ack | Error> {
  const { target, text, clientMessageId, signal } = options;
  try {
    const call = { timeoutMs, ...(signal === undefined ? {} : { signal }) };
    return await account.sendMessage(target, textContent(text), clientMessageId, call);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Whether the server may have stored the message in this attempt. */
function mayBeStored(failure: Error): boolean {
  if (failure instanceof ConnectError) return false;
  return !(failure instanceof RpcError) || failure.reason === "" || isUnsure(failure);
}

function isUnsure(failure: Error): boolean {
  if (!(failure instanceof RpcError)) return false;
  return isConnectionLost(failure) || unsureReasons.includes(failure.reason);
}
