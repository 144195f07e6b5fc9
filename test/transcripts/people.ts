// The users, conversations, times and events of the transcripts. The reader is yoda.
import { ConversationKind } from "../../gen/parley/chat/v1/conversation.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import { type Event, Feature, type Welcome } from "../../gen/parley/chat/v1/event.ts";
import type { User } from "../../gen/parley/chat/v1/user.ts";

export const yoda: User = { userId: "u1", username: "yoda" };
export const luke: User = { userId: "u2", username: "luke" };
export const leia: User = { userId: "u3", username: "leia" };

export const everyone = "c1";
export const withLuke = "c7";
export const withLeia = "c9";

/** The time so many seconds after the start of the transcripts. */
export function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 2, 1, 10, 0, 0, 123) + seconds * 1000);
}

export function text(value: string): Content {
  return { kind: { $case: "text", value } };
}

export function welcome(changes: Partial<Welcome> = {}): Event["kind"] {
  const limits = {
    maxContentBytes: 32_768,
    maxRequestBytes: 262_144,
    maxCommandsPerRequest: 1_000,
    maxCursors: 1_000,
    maxStreamsPerSession: 4,
    idleTimeout: { seconds: 90n, nanos: 500_000_000 },
    maxCallsPerSecond: 100,
    maxOnlineSessions: 8,
  };
  const value = {
    serverId: "v1",
    sessionId: "s5",
    deviceId: "d4",
    user: yoda,
    limits,
    features: [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS],
    serverTime: at(0),
    broadcastConversationId: everyone,
    online: [leia],
    onlineNextPageToken: "",
    ...changes,
  };
  return { $case: "welcome", value };
}

export const caughtUp: Event["kind"] = { $case: "caughtUp", value: { serverTime: at(1) } };

/** A message of one user to another. */
export function direct(
  conversationId: string,
  seq: bigint,
  sender: User,
  recipient: User,
  content: Content | undefined,
): Event["kind"] {
  const kind = ConversationKind.DIRECT;
  const entry = { conversationId, seq, kind, sender, recipient, sendTime: at(Number(seq)), content };
  return { $case: "entryAppended", value: { entry } };
}

export function broadcast(seq: bigint, sender: User, content: Content): Event["kind"] {
  const kind = ConversationKind.BROADCAST;
  const sendTime = at(Number(seq));
  const entry = { conversationId: everyone, seq, kind, sender, recipient: undefined, sendTime, content };
  return { $case: "entryAppended", value: { entry } };
}

export function ack(
  clientMessageId: bigint,
  conversationId: string,
  seq: bigint,
  changes: { repeatedSend?: boolean; withheld?: boolean } = {},
): Event["kind"] {
  const rest = { sendTime: at(Number(seq)), repeatedSend: false, withheld: false };
  return { $case: "ack", value: { clientMessageId, conversationId, seq, ...rest, ...changes } };
}
