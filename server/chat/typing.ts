// Typing indicators: published to the other user of a direct conversation, and not stored.
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { toUser } from "../auth/user-messages.ts";
import type { NodeBus } from "../bus/node-bus.ts";
import { formatId } from "../ids.ts";
import { Refusal } from "../reasons.ts";
import type { BlockStore, LogStore, UserRow } from "../store/store.ts";
import { encodeEvent } from "./encoding.ts";
import type { Destination } from "./sending.ts";

export class Typing {
  readonly #log: LogStore;
  readonly #blocks: BlockStore;
  readonly #bus: NodeBus;

  constructor(log: LogStore, blocks: BlockStore, bus: NodeBus) {
    this.#log = log;
    this.#blocks = blocks;
    this.#bus = bus;
  }

  /**
   * Publishes nothing while one of the two users blocks the other.
   * @throws Refusal INVALID_FIELD if the destination is not a direct conversation
   */
  async set(user: UserRow, destination: Destination, typing: boolean): Promise<void> {
    const { peer } = destination;
    if (peer === undefined) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "target",
        message: "Typing can be set in direct conversations only.",
      });
    }
    if (await this.#blocks.isBetween(user.userId, peer.userId)) return;
    const conversation = await this.#log.directConversation(user.userId, peer.userId);
    const conversationId =
      conversation === undefined ? "" : formatId("conversation", conversation.conversationId);
    const piece = encodeEvent({
      kind: { $case: "typingChanged", value: { conversationId, user: toUser(user), typing } },
    });
    this.#bus.publish(`user:${peer.userId}`, {
      kind: "ephemeral",
      feature: Feature.TYPING,
      key: undefined,
      piece,
    });
  }
}
