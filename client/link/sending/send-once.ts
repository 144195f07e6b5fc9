// A send by calls alone, for programs that do not stay: tried again under one id until the outcome is known.

import type { Ack } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { isConnectionLost, isLoggedOut, OutcomeUnknownError, refusal } from "../model/errors.ts";
import type { SendTarget } from "../model/send-queue.ts";
import { type Account, textContent } from "../server/account.ts";
import { Backoff } from "../server/backoff.ts";
import { decideRetry } from "../server/retry-decision.ts";
import { after, whenAborted } from "../waiting.ts";

/** What to send once. */
export interface SendOnceOptions {
  /** The id to send under: the same one, with the same target and text, never stores the message twice. */
  readonly clientMessageId: bigint;
  /** Where to. */
  readonly target: SendTarget;
  /** At least one character, and no NUL; servers take some 32 KiB. */
  readonly text: string;
  /** How long to try, ms; default 10 s. */
  readonly waitMs?: number;
  /** Gives up: with an OutcomeUnknownError where the message may be stored. */
  readonly signal?: AbortSignal;
}

/** What servers take by default; a unary caller has no Welcome that would say it exactly. */
const usualTextBytes = 32 * 1024;
/** No request that holds more is taken by any server: it would be cut off without a word about why. */
const mostTextBytes = 250 * 1024;

/** Reasons after which the server may nevertheless have stored the message. */
const unsure = ["STORE_UNAVAILABLE", "INTERNAL", "CANCELLED", "SERVER_STOPPING"];

/**
 * Sends a text; resolves when it is stored.
 * @throws RpcError: refused, and surely not stored
 * @throws ConnectError: there was no connection, and surely nothing was sent
 * @throws OutcomeUnknownError: it may be stored or not; to try again under the same id is safe
 */
export async function sendOnce(account: Account, options: SendOnceOptions): Promise<Ack> {
  const { clientMessageId, waitMs = 10_000, signal } = options;
  const bytes = Buffer.byteLength(options.text);
  if (bytes > mostTextBytes) {
    const message = `The message is ${bytes} bytes long; a server takes some ${usualTextBytes} at most.`;
    throw refusal(Reason.CONTENT_TOO_LARGE, message, "content.text");
  }
  const deadline = performance.now() + waitMs;
  const backoff = new Backoff();
  let maybeStored = false;
  for (;;) {
    const leftMs = Math.max(1, deadline - performance.now());
    const failure = await attempt(account, options, leftMs);
    if (!(failure instanceof Error)) return failure;
    maybeStored ||= leavesOpen(failure);
    const verdict = decideRetry(failure);
    const again = verdict.kind === "retry" || isUnsure(failure);
    const delayMs = backoff.next(verdict.kind === "retry" ? verdict.floorMs : 0);
    if (!again || signal?.aborted === true || performance.now() + delayMs >= deadline) {
      // A session that ended says nothing about what it sent before; any other refusal is about this message.
      const answered = failure instanceof RpcError && !leavesOpen(failure) && !isLoggedOut(failure) && !again;
      throw maybeStored && !answered ? new OutcomeUnknownError(clientMessageId, failure) : failure;
    }
    using delay = after(delayMs);
    using stop = whenAborted(signal ?? new AbortController().signal);
    await Promise.race([delay.promise, stop.promise]);
  }
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

/** The message may be on its way, or stored. */
function leavesOpen(failure: Error): boolean {
  if (failure instanceof ConnectError) return false;
  return !(failure instanceof RpcError) || failure.reason === "" || isUnsure(failure);
}

function isUnsure(failure: Error): boolean {
  if (!(failure instanceof RpcError)) return false;
  return isConnectionLost(failure) || unsure.includes(failure.reason);
}
