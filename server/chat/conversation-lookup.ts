// Finds the conversation that a reader names, whether or not its other user still exists.
import type { Target } from "../../gen/parley/chat/v1/chat_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { parseId } from "../ids.ts";
import { Refusal } from "../reasons.ts";
import type { ConversationRow, LogStore, UserRow } from "../store/store.ts";
import type { UserCache } from "./user-cache.ts";

export class ConversationLookup {
  readonly #log: LogStore;
  readonly #users: UserCache;

  constructor(log: LogStore, users: UserCache) {
    this.#log = log;
    this.#users = users;
  }

  /**
   * The conversation as the reader sees it; undefined if the target is a user with whom the reader has none.
   * @throws Refusal USER_NOT_FOUND, RECIPIENT_IS_SELF, CONVERSATION_NOT_FOUND, INVALID_FIELD
   */
  async find(reader: UserRow, target: Target | undefined): Promise<ConversationRow | undefined> {
    const named = target?.target;
    switch (named?.$case) {
      case "username": {
        const peer = await this.#users.byName(named.value);
        if (peer !== undefined) return this.#with(reader, peer, "target.username");
        const removed = await this.#users.removedByName(named.value);
        return this.#withRemoved(reader, removed, "target.username");
      }
      case "userId": {
        const userId = parseId("user", named.value);
        const peer = userId === undefined ? undefined : await this.#users.byId(userId);
        if (peer !== undefined) return this.#with(reader, peer, "target.user_id");
        const removed = userId === undefined ? undefined : (await this.#users.byIds([userId])).get(userId);
        return this.#withRemoved(reader, removed, "target.user_id");
      }
      case "conversationId": {
        const id = parseId("conversation", named.value);
        const found = id === undefined ? undefined : await this.#log.conversation(reader.userId, id);
        if (found !== undefined) return found;
        throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: "target.conversation_id" });
      }
      default: {
        const message = "Name a user or a conversation.";
        throw new Refusal(Reason.INVALID_FIELD, { field: "target", message });
      }
    }
  }

  async #with(reader: UserRow, peer: UserRow, field: string): Promise<ConversationRow | undefined> {
    if (peer.userId === reader.userId) throw new Refusal(Reason.RECIPIENT_IS_SELF, { field });
    return this.#log.directConversation(reader.userId, peer.userId);
  }

  /** A removed user is found only by those who have a conversation with that user. */
  async #withRemoved(reader: UserRow, peer: UserRow | undefined, field: string): Promise<ConversationRow> {
    const found = peer && (await this.#with(reader, peer, field));
    if (found === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field });
    return found;
  }
}
