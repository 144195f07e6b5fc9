// Builds the commands of a stream.
import type { Command, Hello, Target } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Marker } from "../../gen/parley/chat/v1/conversation.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";

export function text(value: string): Content {
  return { kind: { $case: "text", value } };
}

export function toUser(username: string): Target {
  return { target: { $case: "username", value: username } };
}

export function toUserId(userId: string): Target {
  return { target: { $case: "userId", value: userId } };
}

export function toConversation(conversationId: string): Target {
  return { target: { $case: "conversationId", value: conversationId } };
}

export function fullHello(hello: Partial<Hello> = {}): Hello {
  return { client: undefined, features: [], cursors: [], processId: "", ...hello };
}

export function hello(value: Partial<Hello> = {}): Command {
  return { kind: { $case: "hello", value: fullHello(value) } };
}

export function send(clientMessageId: bigint, target: Target | undefined, content: Content): Command {
  return { kind: { $case: "sendMessage", value: { clientMessageId, target, content } } };
}

export function broadcast(clientMessageId: bigint, content: Content): Command {
  return { kind: { $case: "broadcast", value: { clientMessageId, content } } };
}

export function setMarkers(...markers: Marker[]): Command {
  return { kind: { $case: "setMarkers", value: { markers } } };
}

export function setTyping(target: Target, typing = true): Command {
  return { kind: { $case: "setTyping", value: { target, typing } } };
}

export const leave: Command = { kind: { $case: "leave", value: { processId: "" } } };

export const reportActivity: Command = { kind: { $case: "reportActivity", value: {} } };

export function marker(conversationId: string, deliveredSeq: bigint, readSeq = 0n): Marker {
  return { conversationId, deliveredSeq, readSeq, deliveredTime: undefined, readTime: undefined };
}
