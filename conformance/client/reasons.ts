// The status of each reason (docs/errors.md), and assertions on refusals of calls and on refusals that end a stream or
// are events of it.
import { status } from "@grpc/grpc-js";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { DOMAIN, RpcError } from "../../rpc/status/status.ts";
import { CheckFailure, equal, show } from "./expect.ts";
import type { EventOf, Stream } from "./stream.ts";

export type ReasonName = Exclude<keyof typeof Reason, "UNSPECIFIED" | "UNRECOGNIZED">;

export const statusOf: Record<ReasonName, status> = {
  UNDECODABLE: status.INVALID_ARGUMENT,
  INVALID_FIELD: status.INVALID_ARGUMENT,
  UNSUPPORTED_COMMAND: status.UNIMPLEMENTED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  STORE_UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
  PAGE_TOKEN_INVALID: status.INVALID_ARGUMENT,
  CANCELLED: status.CANCELLED,
  UNSUPPORTED_METHOD: status.UNIMPLEMENTED,
  REQUEST_TOO_LARGE: status.INVALID_ARGUMENT,
  REQUEST_UNFINISHED: status.DEADLINE_EXCEEDED,
  COMPRESSION_UNSUPPORTED: status.UNIMPLEMENTED,
  DATA_DAMAGED: status.DATA_LOSS,
  TOKEN_MISSING: status.UNAUTHENTICATED,
  TOKEN_INVALID: status.UNAUTHENTICATED,
  CREDENTIALS_WRONG: status.UNAUTHENTICATED,
  DEVICE_INVALID: status.UNAUTHENTICATED,
  SIGN_UP_CLOSED: status.PERMISSION_DENIED,
  INVITE_INVALID: status.PERMISSION_DENIED,
  USERNAME_INVALID: status.INVALID_ARGUMENT,
  USERNAME_TAKEN: status.ALREADY_EXISTS,
  PASSWORD_INVALID: status.INVALID_ARGUMENT,
  SESSION_NOT_FOUND: status.NOT_FOUND,
  ACCOUNT_LOCKED: status.PERMISSION_DENIED,
  TOO_MANY_SESSIONS: status.FAILED_PRECONDITION,
  ADMINISTRATORS_ONLY: status.PERMISSION_DENIED,
  ACCOUNT_DISABLED: status.PERMISSION_DENIED,
  RESET_INVALID: status.PERMISSION_DENIED,
  USER_NOT_FOUND: status.NOT_FOUND,
  RECIPIENT_IS_SELF: status.INVALID_ARGUMENT,
  CONVERSATION_NOT_FOUND: status.NOT_FOUND,
  CONTENT_EMPTY: status.INVALID_ARGUMENT,
  CONTENT_TOO_LARGE: status.INVALID_ARGUMENT,
  CONTENT_KIND_UNKNOWN: status.UNIMPLEMENTED,
  CLIENT_MESSAGE_ID_REUSED: status.ALREADY_EXISTS,
  MARKER_BEYOND_HEAD: status.OUT_OF_RANGE,
  CURSOR_BEYOND_HEAD: status.OUT_OF_RANGE,
  BLOCKED_BY_RECIPIENT: status.PERMISSION_DENIED,
  ALREADY_BLOCKED: status.ALREADY_EXISTS,
  NOT_BLOCKED: status.FAILED_PRECONDITION,
  HELLO_EXPECTED: status.FAILED_PRECONDITION,
  HELLO_REPEATED: status.FAILED_PRECONDITION,
  HELLO_TIMEOUT: status.DEADLINE_EXCEEDED,
  TOO_MANY_STREAMS: status.RESOURCE_EXHAUSTED,
  SERVER_STOPPING: status.UNAVAILABLE,
  SLOW_READER: status.RESOURCE_EXHAUSTED,
  SESSION_ENDED: status.UNAUTHENTICATED,
  SESSION_TIMED_OUT: status.UNAUTHENTICATED,
  DEVICE_KEY_MISSING: status.FAILED_PRECONDITION,
  IDENTITY_TAKEN: status.ALREADY_EXISTS,
  IDENTITY_NOT_FOUND: status.NOT_FOUND,
  DEVICE_NOT_FOUND: status.NOT_FOUND,
  USER_OFFLINE: status.FAILED_PRECONDITION,
  PRIVATE_CHAT_UNAVAILABLE: status.FAILED_PRECONDITION,
  PRIVATE_CHAT_OPEN: status.ALREADY_EXISTS,
  INTRODUCTION_PENDING: status.ALREADY_EXISTS,
  INTRODUCTION_REFUSED: status.ABORTED,
  INTRODUCTION_UNANSWERED: status.DEADLINE_EXCEEDED,
  INTRODUCTION_NOT_FOUND: status.NOT_FOUND,
  RELAY_CREDIT_EXCEEDED: status.RESOURCE_EXHAUSTED,
  RELAY_PEER_GONE: status.UNAVAILABLE,
};

export interface Details {
  /** The path of the field that the refusal must name; not checked if left out. */
  readonly field?: string;
  /** Whether the refusal must contain a retry delay; by default it must not. */
  readonly delay?: boolean;
}

/** Asserts that a unary call is refused with this reason, its status and its details. */
export async function refused(
  what: string,
  call: Promise<unknown>,
  reason: ReasonName,
  details: Details = {},
): Promise<void> {
  let error: RpcError | undefined;
  try {
    await call;
  } catch (thrown) {
    if (!(thrown instanceof RpcError)) throw thrown;
    error = thrown;
  }
  isError(what, error, reason, details);
}

/** Asserts that a stream ends with this reason, its status and its details. */
export async function endedBy(
  what: string,
  stream: Stream,
  reason: ReasonName,
  details: Details = {},
): Promise<void> {
  isError(what, await stream.ended(what, reason), reason, details);
}

function isError(what: string, error: RpcError | undefined, reason: ReasonName, details: Details): void {
  if (error === undefined) throw new CheckFailure(what, reason, "no refusal");
  const { code, domain, retryDelayMs } = error;
  if (error.reason !== reason) {
    throw new CheckFailure(
      what,
      `a google.rpc.ErrorInfo with the reason ${reason}`,
      error.reason === ""
        ? `status ${status[code]} without a reason (${error.message})`
        : `${error.reason} (${error.message})`,
    );
  }
  equal(`${what}: the status of ${reason}`, status[code], status[statusOf[reason]]);
  equal(`${what}: the domain of ${reason}`, domain, DOMAIN);
  compare(what, reason, error.field ?? "", retryDelayMs !== undefined, details);
}

/** Asserts that an event of a stream refuses a command with this reason. */
export function isRefused(
  what: string,
  event: EventOf<"refused">,
  reason: ReasonName,
  details: Details & { readonly clientMessageId?: bigint; readonly conversationId?: string } = {},
): void {
  equal(`${what}: the reason in Refused`, nameOf(event.reason), reason);
  equal(`${what}: Refused.client_message_id`, event.clientMessageId, details.clientMessageId ?? 0n);
  if (details.conversationId !== undefined) {
    equal(`${what}: Refused.conversation_id`, event.conversationId, details.conversationId);
  }
  compare(what, reason, event.field, event.retryDelay !== undefined, details);
}

function compare(what: string, reason: string, field: string, hasDelay: boolean, details: Details): void {
  if (details.field !== undefined) equal(`${what}: the field in ${reason}`, field, details.field);
  const delays = { true: "a delay", false: "no delay" } as const;
  equal(`${what}: the retry delay of ${reason}`, delays[`${hasDelay}`], delays[`${details.delay ?? false}`]);
}

function nameOf(reason: number): string {
  return Object.entries(Reason).find(([, value]) => value === reason)?.[0] ?? show(reason);
}
