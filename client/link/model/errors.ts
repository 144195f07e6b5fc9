// What can go wrong with a link besides a refusal (an RpcError with its reason) and a failed connection (ConnectError).
import { status } from "@grpc/grpc-js";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { RpcError } from "../../../rpc/status/status.ts";

/** The server's stream does not keep the contract. The link comes back from its cursors. */
export class BrokenStreamError extends Error {
  override name = "BrokenStreamError";
}

/** Too much is unsent already; nothing was queued. */
export class QueueFullError extends Error {
  override name = "QueueFullError";
}

/** A person dropped the message before it was acked. */
export class SendDroppedError extends Error {
  override name = "SendDroppedError";
}

/** The link has ended; what was unsent stays in its queue. */
export class LinkEndedError extends Error {
  override name = "LinkEndedError";
}

/** The message may be stored or not. Sending it again under the same id is safe, and settles it. */
export class OutcomeUnknownError extends Error {
  override name = "OutcomeUnknownError";
  /** The id to send it under again, with the same target and text. */
  readonly clientMessageId: bigint;

  /** @internal */
  constructor(clientMessageId: bigint, cause: Error) {
    const why = isDeadlineExceeded(cause) ? "no answer came in time" : cause.message;
    super(`It is not known whether message ${clientMessageId} was stored: ${why}`, { cause });
    this.clientMessageId = clientMessageId;
  }
}

/** No answer came in time. grpc-js says it with the whole course of the call. */
export function isDeadlineExceeded(error: Error): boolean {
  return error instanceof RpcError && error.code === status.DEADLINE_EXCEEDED && error.reason === "";
}

const reasonNames = new Map<number, string>(Object.entries(Reason).map(([name, value]) => [value, name]));

/** The name of a reason, without prefix; of one that this client does not know, its number. */
export function reasonName(reason: Reason): string {
  return reasonNames.get(reason) ?? String(reason);
}

/** The refusal of a command, in the shape of a refused call. Streams carry no status code for it. */
export function refusal(reason: Reason, message: string, field?: string, retryDelayMs?: number): RpcError {
  const name = reasonName(reason);
  return new RpcError({
    code: field === undefined || field === "" ? status.FAILED_PRECONDITION : status.INVALID_ARGUMENT,
    reason: name,
    message: message === "" ? name : message,
    ...(field === undefined || field === "" ? {} : { field }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  });
}

/** Whether the error says that the session is over: only a new log-in helps. */
export function isLoggedOut(error: RpcError): boolean {
  return ["TOKEN_INVALID", "TOKEN_MISSING", "SESSION_ENDED", "SESSION_TIMED_OUT"].includes(error.reason);
}

/** Codes that grpc-js itself, or something between, gives to a call whose connection failed it. */
const lostCodes: readonly status[] = [
  status.UNAVAILABLE,
  status.INTERNAL,
  status.UNKNOWN,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
];

/** The call was lost on its way, rather than answered by the server. */
export function isConnectionLost(error: RpcError): boolean {
  return error.reason === "" && lostCodes.includes(error.code);
}
