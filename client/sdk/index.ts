// The exports of the package. Everything else in it may change at any time.
/**
 * The SDK of Parley. {@link connect} returns a link, whose events are an async iterable and whose sends resolve when
 * the server has stored them. The link reconnects, hands out each entry once, and sends each message once.
 *
 * @example
 * ```ts
 * await using link = await connect({ address: "chat.example.org:12000", login: { username, password } });
 * for await (const event of link.events) {
 *   if (event.type === "entry" && !event.mine) await link.send(event.sender.username, "I am a program.");
 * }
 * ```
 *
 * @module parley
 */

// First, because the other modules fail with unclear errors on a Node.js that is too old.
import "./node-version.ts";

export {
  type AuthorityTrust,
  type Probed,
  type ProbeOptions,
  probe,
  type ServerTrust,
  type Trust,
} from "../../rpc/dialling/dial.ts";
export { ListenError } from "../../rpc/listening/listen.ts";
export type { Certificate } from "../../rpc/listening/server-credentials.ts";
export { ConnectError, type ConnectErrorKind } from "../../rpc/status/connect-error.ts";
export { type InvalidField, RpcError } from "../../rpc/status/status.ts";
export { Link, openLink } from "../link/link.ts";
export type { LinkOptions } from "../link/link-options.ts";
export { type CursorStore, MemoryCursors, type Position } from "../link/model/cursors.ts";
export {
  BrokenStreamError,
  isLoggedOut,
  LinkEndedError,
  OutcomeUnknownError,
  QueueFullError,
  reasonName,
  SendDroppedError,
} from "../link/model/errors.ts";
export type * from "../link/model/events.ts";
export {
  MemorySendQueue,
  type SendQueue,
  type SendTarget,
  type UnsentMessage,
} from "../link/model/send-queue.ts";
export type { ConversationTarget } from "../link/model/target.ts";
export { contentOf } from "../link/receiving/event-reader.ts";
export { cursorsAtHeads } from "../link/receiving/heads.ts";
export { type SendOnceOptions, sendOnce } from "../link/sending/send-once.ts";
export type { Sending } from "../link/sending/sender.ts";
export {
  Account,
  type ListOptions,
  type LogInOptions,
  logIn,
  type MessageRange,
  type SignUpOptions,
  signUp,
  textContent,
} from "../link/server/account.ts";
export { type BackoffOptions, defaultBackoff } from "../link/server/backoff.ts";
export { type CallOptions, Endpoint, type EndpointOptions, type Keepalive } from "../link/server/endpoint.ts";
export type { PrivateCalls } from "../link/server/private-chat-calls.ts";
export { serverInfo } from "../link/server/server-info.ts";
export {
  checkTrust,
  isLoopback,
  type PresentedKey,
  type TrustDecision,
  type TrustPolicy,
} from "../link/server/trust.ts";
export type { OpenChatInfo, OpenElsewhere } from "../peer/chats/chat-locations.ts";
export { KeyProblemError } from "../peer/chats/context.ts";
export type * from "../peer/chats/events.ts";
export type { IncomingRequest } from "../peer/chats/incoming-requests.ts";
export { type LineContent, NotSentError } from "../peer/conversation/line-rules.ts";
export type { ConversationEnded, EndReason } from "../peer/conversation/private-conversation.ts";
export {
  type CodeParty,
  type LinkedDevice,
  linkCode,
  readLinkCode,
  safetyNumber,
} from "../peer/keys/codes.ts";
export {
  type Contact,
  type ContactStore,
  type KeyCheck,
  type KeyPolicy,
  type KeyProblem,
  MemoryContacts,
  type PeerKeys,
} from "../peer/keys/contacts.ts";
export { type DeviceWithKey, type KeyOwner, listDevices, signDevice } from "../peer/keys/devices.ts";
export { type KeyStore, MemoryKeys, type StoredKeys } from "../peer/keys/keys.ts";
export type { OwnKeyStatus } from "../peer/keys/own-identity.ts";
export { type OwnNames, type Registered, replaceIdentity } from "../peer/keys/registration.ts";
export {
  acceptKeys,
  confirm as confirmKey,
  type Verification,
  type Verifier,
  verificationOf,
} from "../peer/keys/verification.ts";
export type { Path as ChatPath } from "../peer/path/connect-peer.ts";
export { PrivateChats } from "../peer/private-chats.ts";
export type { PrivateChatsOptions } from "../peer/private-chats-options.ts";
export { connect } from "./connect.ts";
export type {
  ConnectOptions,
  PasswordLogin,
  PrivateChatOptions,
  TokenLogin,
} from "./connect-options.ts";
export { type AwaitableSending, Connection } from "./connection.ts";
