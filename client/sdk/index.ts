// What the package exports to programs; all else in it may change at any time.
/**
 * The SDK of Parley: {@link connect} gives a link, whose events are an async iterable and whose sends resolve when they
 * are stored. It comes back by itself, hands out each entry once, and sends what is unsent once.
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

// First: what follows fails in its own ways on a Node that is too old.
import "./node-version.ts";

export { ConnectError, type ConnectErrorKind } from "../../rpc/connect-error.ts";
export {
  type AuthorityTrust,
  type Probed,
  type ProbeOptions,
  probe,
  type ServerTrust,
  type Trust,
} from "../../rpc/dial.ts";
export { ListenError } from "../../rpc/listen.ts";
export type { Certificate } from "../../rpc/server-credentials.ts";
export { RpcError } from "../../rpc/status.ts";
export {
  Account,
  type Asking,
  type LogInOptions,
  logIn,
  type MessageRange,
  type SignUpOptions,
  signUp,
  textContent,
} from "../link/account.ts";
export { type BackoffOptions, defaultBackoff } from "../link/backoff.ts";
export { type CursorStore, MemoryCursors, type Position } from "../link/cursors.ts";
export { type CallOptions, Endpoint, type EndpointOptions, type Keepalive } from "../link/endpoint.ts";
export {
  BrokenStreamError,
  LinkEndedError,
  OutcomeUnknownError,
  QueueFullError,
  reasonName,
  SendDroppedError,
  saysLoggedOut,
} from "../link/errors.ts";
export { contentOf } from "../link/event-reader.ts";
export type * from "../link/events.ts";
export { cursorsAtHeads } from "../link/heads.ts";
export { Link, openLink } from "../link/link.ts";
export type { LinkOptions } from "../link/link-options.ts";
export { type SendOnceOptions, sendOnce } from "../link/send-once.ts";
export { MemorySendQueue, type SendQueue, type SendTarget, type UnsentMessage } from "../link/send-queue.ts";
export type { Sending } from "../link/sender.ts";
export type { ConversationTarget } from "../link/target.ts";
export { checkTrust, type Found, isLoopback, type TrustDecision, type TrustPolicy } from "../link/trust.ts";
export type { PrivateCalls } from "../peer/calls.ts";
export { type CodeParty, type LinkedDevice, linkCode, readLinkCode, safetyNumber } from "../peer/codes.ts";
export {
  type Contact,
  type ContactStore,
  type Judgement,
  type KeyProblem,
  MemoryContacts,
  type PeerKeys,
} from "../peer/contacts.ts";
export { type Ended, type EndedHow, type LineContent, NotSaidError } from "../peer/conversation.ts";
export { KeyProblemError } from "../peer/desk.ts";
export { type LinkableDevice, listDevices, type Owner, signDevice } from "../peer/devices.ts";
export type * from "../peer/events.ts";
export { type KeyStore, MemoryKeys, type StoredKeys } from "../peer/keys.ts";
export type { OwnStanding } from "../peer/own-identity.ts";
export { PrivateChats } from "../peer/private-chats.ts";
export type { PrivateChatsOptions } from "../peer/private-chats-options.ts";
export type { AskedBy } from "../peer/questions.ts";
export type { Path as ChatPath } from "../peer/reach.ts";
export { type OwnNames, type Registered, replaceIdentity } from "../peer/registration.ts";
export {
  acceptKeys,
  confirm as confirmKey,
  type Verification,
  type Verifier,
  verificationOf,
} from "../peer/verification.ts";
export type { Elsewhere, OpenWith } from "../peer/whereabouts.ts";
export { connect } from "./connect.ts";
export type {
  ConnectOptions,
  PasswordLogin,
  PrivateChatOptions,
  TokenLogin,
} from "./connect-options.ts";
export { type AwaitableSending, Connection } from "./connection.ts";
