// Where a message goes, in the shape of the wire.
import type { Target } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { SendTarget } from "./send-queue.ts";

/** Names one conversation: of two users, or by its id. */
export type ConversationTarget = Exclude<SendTarget, { kind: "broadcast" }>;

export function wireTarget(target: ConversationTarget): Target {
  return target.kind === "user"
    ? { target: { $case: "username", value: target.username } }
    : { target: { $case: "conversationId", value: target.conversationId } };
}
