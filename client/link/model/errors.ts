// The errors of a link other than refusals (RpcError) and failed connections (ConnectError), and functions that
// classify an RpcError.
import { status } from "@grpc/grpc-js";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { RpcError } from "../../../rpc/status/status.ts";

/** The server's stream violates the contract. The link reconnects and resumes from its cursors. */
export class BrokenStreamError extends Error {
  override name = "BrokenStreamError";
}

/** The server has other data than before, under another id. The link forgets its cursors and opens another stream. */
export class ServerChangedError extends BrokenStreamError {
  override name = "ServerChangedError";
}

/** Too many messages are unsent; the message was not queued. */
export class QueueFullError extends Error {
  override name = "QueueFullError";
}

/** The message was dropped before the server acked it. */
export class SendDroppedError extends Error {
  override name = "SendDroppedError";
}

/** The link has ended. Unsent messages stay in the queue. */
export class LinkEndedError extends Error {
  override name = "LinkEndedError";
}

/**
 * It is unknown whether the server stored the message. Sending it again under the same id is safe and settles this.
 */
export class OutcomeUnknownError extends Error {
  override name = "OutcomeUnknownError";
  /** The id under which to send it again, with the same target and text. */
  readonly clientMessageId: bigint;

  /** @internal */
  constructor(clientMessageId: bigint, cause: Error) {
    const why = isDeadlineExceeded(cause) ? "the server did not answer in time" : cause.message;
    super(`It is not known whether message ${clientMessageId} was stored: ${why}`, { cause });
    this.clientMessageId = clientMessageId;
  }
}

/** Whether the server did not answer in time. The grpc-js message for this is long and lists each step of the call. */
export function isDeadlineExceeded(error: Error): boolean {
  return error instanceof RpcError && error.code === status.DEADLINE_EXCEEDED && error.reason === "";
}

const reasonNames = new Map<number, string>(Object.entries(Reason).map(([name, value]) => [value, name]));

/** The name of a reason without its prefix, or its number if this client does not know the reason. */
export function reasonName(reason: Reason): string {
  return reasonNames.get(reason) ?? String(reason);
}

/** The refusal of a command as an RpcError. A stream carries no status code for it: the code depends on `field`. */
export function refusal(
  reason: Reason,
  message: string,
  field?: string,
  retryDelayMs?: number,
  metadata: Record<string, string> = {},
): RpcError {
  const name = reasonName(reason);
  return new RpcError({
    code: field === undefined || field === "" ? status.FAILED_PRECONDITION : status.INVALID_ARGUMENT,
    reason: name,
    message: message === "" ? name : message,
    metadata,
    ...(field === undefined || field === "" ? {} : { field }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  });
}

/** Whether the session has ended, so that a new log-in is needed. */
export function isLoggedOut(error: RpcError): boolean {
  return ["TOKEN_INVALID", "TOKEN_MISSING", "SESSION_ENDED", "SESSION_TIMED_OUT"].includes(error.reason);
}

/** The status codes that grpc-js or a proxy reports for a call whose connection failed. */
const lostCodes: readonly status[] = [
  status.UNAVAILABLE,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
];

/** Whether the connection failed, so that the server did not answer the call. */
export function isConnectionLost(error: RpcError): boolean {
  return error.reason === "" && lostCodes.includes(error.code);
}
