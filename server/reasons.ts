// The catalogue of refusals and endings: the gRPC status and the sentence of each Reason. docs/errors.md lists them.
import { status } from "@grpc/grpc-js";
import { Reason } from "../gen/parley/chat/v1/reason.ts";
import { RpcError, withoutStack } from "../rpc/status/status.ts";

type KnownReason = Exclude<Reason, typeof Reason.UNSPECIFIED | typeof Reason.UNRECOGNIZED>;

interface Meaning {
  readonly code: status;
  /** The sentence for the user, unless the refusal gives a more specific one. */
  readonly message: string;
}

export const meanings: Record<KnownReason, Meaning> = {
  [Reason.UNDECODABLE]: { code: status.INVALID_ARGUMENT, message: "The bytes are not the expected message." },
  [Reason.INVALID_FIELD]: { code: status.INVALID_ARGUMENT, message: "A field is missing or out of bounds." },
  [Reason.UNSUPPORTED_COMMAND]: {
    code: status.UNIMPLEMENTED,
    message: "This server does not know that command.",
  },
  [Reason.RATE_LIMITED]: {
    code: status.RESOURCE_EXHAUSTED,
    message: "Too many requests in a short time. Try again in a moment.",
  },
  [Reason.OVERLOADED]: {
    code: status.RESOURCE_EXHAUSTED,
    message: "The server is busy. Try again in a moment.",
  },
  [Reason.STORE_UNAVAILABLE]: {
    code: status.UNAVAILABLE,
    message: "The server cannot store anything right now. Try again in a moment.",
  },
  [Reason.INTERNAL]: {
    code: status.INTERNAL,
    message: "Something failed inside the server. See the server's log.",
  },
  [Reason.PAGE_TOKEN_INVALID]: {
    code: status.INVALID_ARGUMENT,
    message: "The page token belongs to another request. Start again without one.",
  },
  [Reason.CANCELLED]: { code: status.CANCELLED, message: "The call was cancelled." },
  [Reason.UNSUPPORTED_METHOD]: {
    code: status.UNIMPLEMENTED,
    message: "This server has no such method. It may be older than the client.",
  },
  [Reason.REQUEST_TOO_LARGE]: {
    code: status.INVALID_ARGUMENT,
    message: "The request has more bytes, fields or headers than its method allows.",
  },
  [Reason.REQUEST_UNFINISHED]: {
    code: status.DEADLINE_EXCEEDED,
    message: "The request did not arrive completely in time.",
  },
  [Reason.COMPRESSION_UNSUPPORTED]: {
    code: status.UNIMPLEMENTED,
    message: "This server takes no compressed messages. Send them without compression.",
  },

  [Reason.DATA_DAMAGED]: {
    code: status.DATA_LOSS,
    message: "A part of the server's data is damaged. Its operator has to restore it.",
  },

  [Reason.TOKEN_MISSING]: {
    code: status.UNAUTHENTICATED,
    message: 'Send one token, as metadata "authorization: Bearer TOKEN".',
  },
  [Reason.TOKEN_INVALID]: {
    code: status.UNAUTHENTICATED,
    message: "The session has expired or was ended. Log in again.",
  },
  [Reason.CREDENTIALS_WRONG]: { code: status.UNAUTHENTICATED, message: "User name or password is wrong." },
  [Reason.DEVICE_INVALID]: {
    code: status.UNAUTHENTICATED,
    message: "This server does not know that device. Log in without it to get a new one.",
  },
  [Reason.SIGN_UP_CLOSED]: {
    code: status.PERMISSION_DENIED,
    message: "This server does not accept new users.",
  },
  [Reason.INVITE_INVALID]: {
    code: status.PERMISSION_DENIED,
    message: "The invite is unknown, used up or expired. Ask for a new one.",
  },
  [Reason.USERNAME_INVALID]: { code: status.INVALID_ARGUMENT, message: "This is not a valid user name." },
  [Reason.USERNAME_TAKEN]: {
    code: status.ALREADY_EXISTS,
    message: "That name is taken, or looks too much like one that is. Choose another.",
  },
  [Reason.PASSWORD_INVALID]: {
    code: status.INVALID_ARGUMENT,
    message: "A new password has 8 characters to 256 bytes, without control characters.",
  },
  [Reason.SESSION_NOT_FOUND]: { code: status.NOT_FOUND, message: "You have no such session." },
  [Reason.ACCOUNT_LOCKED]: {
    code: status.PERMISSION_DENIED,
    message: "Too many wrong passwords: log-ins are locked for a while.",
  },
  [Reason.TOO_MANY_SESSIONS]: {
    code: status.FAILED_PRECONDITION,
    message: "You have as many sessions online as this server allows. Log out of one of them first.",
  },
  [Reason.ADMINISTRATORS_ONLY]: {
    code: status.PERMISSION_DENIED,
    message: "Only an administrator of this server may do that.",
  },
  [Reason.ACCOUNT_DISABLED]: {
    code: status.PERMISSION_DENIED,
    message: "An administrator of this server has disabled your account.",
  },
  [Reason.RESET_INVALID]: {
    code: status.PERMISSION_DENIED,
    message: "The link is unknown, used or expired. Ask the server's operator for a new one.",
  },

  [Reason.USER_NOT_FOUND]: { code: status.NOT_FOUND, message: "There is no user of that name." },
  [Reason.RECIPIENT_IS_SELF]: {
    code: status.INVALID_ARGUMENT,
    message: "You named yourself. Name another user.",
  },
  [Reason.CONVERSATION_NOT_FOUND]: {
    code: status.NOT_FOUND,
    message: "There is no such conversation, or you are not in it.",
  },
  [Reason.CONTENT_EMPTY]: { code: status.INVALID_ARGUMENT, message: "The message is empty." },
  [Reason.CONTENT_KIND_UNKNOWN]: {
    code: status.UNIMPLEMENTED,
    message: "This server does not know this kind of message. A newer server may know it.",
  },
  [Reason.CONTENT_TOO_LARGE]: { code: status.INVALID_ARGUMENT, message: "The message is too long." },
  [Reason.CLIENT_MESSAGE_ID_REUSED]: {
    code: status.ALREADY_EXISTS,
    message: "This device already used that client message id for another message, which is kept.",
  },
  [Reason.MARKER_BEYOND_HEAD]: {
    code: status.OUT_OF_RANGE,
    message: "The marker is beyond the newest entry.",
  },
  [Reason.CURSOR_BEYOND_HEAD]: {
    code: status.OUT_OF_RANGE,
    message: "The cursor is beyond the newest entry: it belongs to another log. Connect again without it.",
  },

  [Reason.BLOCKED_BY_RECIPIENT]: {
    code: status.PERMISSION_DENIED,
    message: "That user has blocked you.",
  },
  [Reason.ALREADY_BLOCKED]: { code: status.ALREADY_EXISTS, message: "You have blocked that user already." },
  [Reason.NOT_BLOCKED]: {
    code: status.FAILED_PRECONDITION,
    message: "You have not blocked that user.",
  },

  [Reason.HELLO_EXPECTED]: {
    code: status.FAILED_PRECONDITION,
    message: "The first frame of a stream must contain exactly one command, Hello.",
  },
  [Reason.HELLO_REPEATED]: { code: status.FAILED_PRECONDITION, message: "Hello was sent a second time." },
  [Reason.HELLO_TIMEOUT]: { code: status.DEADLINE_EXCEEDED, message: "No Hello arrived in time." },
  [Reason.TOO_MANY_STREAMS]: {
    code: status.RESOURCE_EXHAUSTED,
    message: "This session has as many streams open as this server allows. Close one first.",
  },
  [Reason.SERVER_STOPPING]: {
    code: status.UNAVAILABLE,
    message: "The server is stopping. Connect again in a moment.",
  },
  [Reason.SLOW_READER]: {
    code: status.RESOURCE_EXHAUSTED,
    message: "This stream was read too slowly. Connect again with cursors; no entry is lost.",
  },
  [Reason.SESSION_ENDED]: { code: status.UNAUTHENTICATED, message: "The session was ended. Log in again." },
  [Reason.SESSION_TIMED_OUT]: {
    code: status.UNAUTHENTICATED,
    message: "No command arrived for too long, so you were logged out. Log in again.",
  },

  [Reason.DEVICE_KEY_MISSING]: {
    code: status.FAILED_PRECONDITION,
    message: "This device has no certificate for private chats yet.",
  },
  [Reason.IDENTITY_TAKEN]: {
    code: status.ALREADY_EXISTS,
    message: "You have another identity key. Sign this device on the device that has that key.",
  },
  [Reason.IDENTITY_NOT_FOUND]: {
    code: status.NOT_FOUND,
    message: "That user has no identity key yet. A client with private chats creates it at the first log-in.",
  },
  [Reason.DEVICE_NOT_FOUND]: {
    code: status.NOT_FOUND,
    message: "You have no such device, or it has no certificate.",
  },
  [Reason.USER_OFFLINE]: { code: status.FAILED_PRECONDITION, message: "That user is not online." },
  [Reason.PRIVATE_CHAT_UNAVAILABLE]: {
    code: status.FAILED_PRECONDITION,
    message: "That user is online, but on no device that accepts private chats.",
  },
  [Reason.PRIVATE_CHAT_OPEN]: {
    code: status.ALREADY_EXISTS,
    message: "You already have a private chat open with that user.",
  },
  [Reason.INTRODUCTION_PENDING]: {
    code: status.ALREADY_EXISTS,
    message: "One of you has already requested a private chat with the other.",
  },
  [Reason.INTRODUCTION_REFUSED]: {
    code: status.ABORTED,
    message: "That user does not want a private chat now.",
  },
  [Reason.INTRODUCTION_UNANSWERED]: {
    code: status.DEADLINE_EXCEEDED,
    message: "The user did not answer in time.",
  },
  [Reason.INTRODUCTION_NOT_FOUND]: {
    code: status.NOT_FOUND,
    message: "This device has no such introduction, or it has ended.",
  },
  [Reason.RELAY_CREDIT_EXCEEDED]: {
    code: status.RESOURCE_EXHAUSTED,
    message: "The device sent more through the relay than it had credit for.",
  },
  [Reason.RELAY_PEER_GONE]: {
    code: status.UNAVAILABLE,
    message: "The other device left the relay, or did not connect to it.",
  },
};

const names = new Map<number, string>(Object.entries(Reason).map(([name, value]) => [value, name]));

/** The name of a reason, as in ErrorInfo. */
export function reasonName(reason: Reason): string {
  return names.get(reason) ?? "UNSPECIFIED";
}

/** The keys of Refused.metadata and ErrorInfo.metadata. docs/errors.md describes them. */
export const factNames = [
  "maximum",
  "minimum",
  "unit",
  "actual",
  "head_seq",
  "device_id",
  "device_name",
  "refused_markers",
] as const;

export type Facts = { readonly [K in (typeof factNames)[number]]?: string | number };

export interface RefusalDetails {
  /** The field at fault, as a path in the request. */
  readonly field?: string;
  /** A more specific sentence than the catalogue's. */
  readonly message?: string;
  /** How long to wait before the next attempt, ms. In the ending of a stream it means that the client may reconnect. */
  readonly retryDelayMs?: number;
  /** What the message says, for programs. */
  readonly facts?: Facts;
  /** Other refused parts of the same request. */
  readonly others?: readonly Refusal[];
}

/** A refusal. The rules throw it; a service answers with a status, and a stream with a Refused event. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly reason: KnownReason;
  readonly field: string | undefined;
  readonly retryDelayMs: number | undefined;
  readonly metadata: Record<string, string>;
  readonly #others: readonly Refusal[];

  constructor(reason: KnownReason, details: RefusalDetails = {}) {
    // As withoutStack does: a refusal is an answer, so its stack is never read.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(details.message ?? meanings[reason].message);
    Error.stackTraceLimit = stackTraceLimit;
    this.reason = reason;
    this.field = details.field;
    this.retryDelayMs = details.retryDelayMs;
    this.metadata = Object.fromEntries(
      Object.entries(details.facts ?? {}).map(([name, value]) => [name, String(value)]),
    );
    this.#others = details.others ?? [];
  }

  toRpcError(): RpcError {
    const options = {
      code: meanings[this.reason].code,
      reason: reasonName(this.reason),
      message: this.message,
      metadata: this.metadata,
      moreFields: this.#others.map(({ field = "", reason }) => ({ field, reason: reasonName(reason) })),
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.retryDelayMs === undefined ? {} : { retryDelayMs: this.retryDelayMs }),
    };
    return withoutStack(() => new RpcError(options));
  }
}
