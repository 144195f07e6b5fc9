// The messages of the contract that the package exports; their comments come from the protos.
/**
 * The messages of the contract as types, for programs that read the contents of events and calls: `raw` of an event,
 * the pages of a list, an ack. Enums are objects of numbers; a value that this version does not know is another
 * number.
 *
 * @module parley/messages
 */

export type { Duration } from "../../gen/google/protobuf/duration.ts";
export type {
  Device,
  DeviceKey,
  Grant,
  LogInRecord,
  Session,
} from "../../gen/parley/chat/v1/auth_service.ts";
export { LogInOutcome } from "../../gen/parley/chat/v1/auth_service.ts";
export type { Block } from "../../gen/parley/chat/v1/block_service.ts";
export type { ClientInfo } from "../../gen/parley/chat/v1/chat_service.ts";
export type { Conversation, Marker, SeqRange } from "../../gen/parley/chat/v1/conversation.ts";
export { ConversationKind } from "../../gen/parley/chat/v1/conversation.ts";
export type { UserPresence } from "../../gen/parley/chat/v1/directory_service.ts";
export type { Content, Entry, Gap, Omitted } from "../../gen/parley/chat/v1/entry.ts";
export { GapKind } from "../../gen/parley/chat/v1/entry.ts";
export type {
  Ack,
  CaughtUp,
  EntryAppended,
  Event,
  IntroductionClosed,
  IntroductionRequested,
  Limits,
  MarkersMoved,
  PresenceChanged,
  Refused,
  TypingChanged,
  Welcome,
} from "../../gen/parley/chat/v1/event.ts";
export { Feature, IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
export type { HistoryItem, ListMessagesResponse } from "../../gen/parley/chat/v1/history_service.ts";
export type {
  DeviceCertificate,
  Identity,
  RegisterDeviceKeyRequest,
  RegisterDeviceKeyResponse,
} from "../../gen/parley/chat/v1/identity_service.ts";
export type {
  AnswerIntroductionRequest,
  Asked,
  IntroduceRequest,
  IntroduceResponse,
  Introduction,
  PeerDevice,
} from "../../gen/parley/chat/v1/introduction_service.ts";
export { Answer } from "../../gen/parley/chat/v1/introduction_service.ts";
export { Reason } from "../../gen/parley/chat/v1/reason.ts";
export type { GetServerInfoResponse } from "../../gen/parley/chat/v1/server_service.ts";
export { SignUpMode } from "../../gen/parley/chat/v1/server_service.ts";
export type { User } from "../../gen/parley/chat/v1/user.ts";
export { Ending } from "../../gen/parley/peer/v1/peer_service.ts";
