// The SDK: a link to a Parley server as async iterables of typed events, and sends that resolve when they are stored.

export { ConnectError, probe, type Trust } from "../../rpc/dial.ts";
export { RpcError } from "../../rpc/status.ts";
export {
  Account,
  type LogInOptions,
  logIn,
  type MessageRange,
  type SignUpOptions,
  signUp,
  textContent,
} from "./account.ts";
export { type BackoffOptions, defaultBackoff } from "./backoff.ts";
export { type CursorStore, MemoryCursors, type Position } from "./cursors.ts";
export { type CallOptions, Endpoint, type EndpointOptions } from "./endpoint.ts";
export {
  BrokenStreamError,
  LinkEndedError,
  OutcomeUnknownError,
  QueueFullError,
  reasonName,
  SendDroppedError,
  saysLoggedOut,
} from "./errors.ts";
export { contentOf } from "./event-reader.ts";
export type * from "./events.ts";
export { type Link, openLink } from "./link.ts";
export type { LinkOptions } from "./link-options.ts";
export { type SendOnceOptions, sendOnce } from "./send-once.ts";
export { MemorySendQueue, type SendQueue, type SendTarget, type UnsentMessage } from "./send-queue.ts";
export type { Sending } from "./sender.ts";
export type { ConversationTarget } from "./target.ts";
export { checkTrust, type Found, isLoopback, type TrustDecision, type TrustPolicy } from "./trust.ts";
