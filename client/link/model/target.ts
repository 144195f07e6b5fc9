// Converts the target of a message to the contract's Target.
import type { Target } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { SendTarget } from "./send-queue.ts";

/** One direct conversation, by the other user or by its id. */
export type ConversationTarget = Exclude<SendTarget, { kind: "broadcast" }>;

export function wireTarget(target: ConversationTarget): Target {
  return target.kind === "user"
    ? { target: { $case: "username", value: target.username } }
    : { target: { $case: "conversationId", value: target.conversationId } };
}
