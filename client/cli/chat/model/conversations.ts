// The conversations that this chat knows: how far the user and the peer have received and read each of them.
import type { SeqRange } from "../../../../gen/parley/chat/v1/conversation.ts";
import { placeKey, type ServerPlace } from "./place.ts";

/** The largest number of unread messages that a conversation tracks individually. */
const MOST_UNREAD = 1_000;

/** The mark of the user's newest message in a direct conversation. */
export type Mark = "stored" | "delivered" | "read";

export class ChatConversation {
  place: ServerPlace;
  /** "" if the conversation has no message yet, or the server has not sent its id. */
  conversationId = "";
  /** The newest known seq. */
  headSeq = 0n;
  /** The user's own read marker. */
  readSeq = 0n;
  /** The user's own delivered marker when the last stream opened: a device of the user had everything up to it. */
  deliveredSeq = 0n;
  /** The seq of the user's own newest message. */
  ownSeq = 0n;
  peerDeliveredSeq = 0n;
  peerReadSeq = 0n;
  /** Own messages that the peer never receives, because of a block, whatever the peer's markers are. */
  undelivered: readonly SeqRange[] = [];
  /** Whether at least one of its messages is on the screen. */
  shown = false;
  /** There are more unread messages than `unread`. */
  unreadIsCut = false;
  /** Seqs of unread messages by others that are on the screen, ascending. */
  #unread: bigint[] = [];
  /** Unread messages that are not on the screen, all at or below `toSeq`. */
  #unshown = { count: 0, toSeq: 0n };

  constructor(place: ServerPlace) {
    this.place = place;
  }

  get unread(): number {
    return this.#unread.length + this.#unshown.count;
  }

  /** Unread messages that are not on the screen. */
  get unshown(): number {
    return this.#unshown.count;
  }

  /** An upper bound for the seqs of the unread messages that are not on the screen. */
  get unshownToSeq(): bigint {
    return this.#unshown.toSeq;
  }

  get mark(): Mark | undefined {
    if (this.ownSeq === 0n) return undefined;
    const isHidden = this.undelivered.some(
      ({ fromSeq, toSeq }) => fromSeq <= this.ownSeq && this.ownSeq <= toSeq,
    );
    if (isHidden) return "stored";
    if (this.peerReadSeq >= this.ownSeq) return "read";
    return this.peerDeliveredSeq >= this.ownSeq ? "delivered" : "stored";
  }

  addUnread(seq: bigint): void {
    if (seq <= this.readSeq || this.#unread.includes(seq)) return;
    if (this.#unread.length >= MOST_UNREAD) {
      this.unreadIsCut = true;
      return;
    }
    this.#unread.push(seq);
    if ((this.#unread.at(-2) ?? 0n) > seq) this.#unread.sort((a, b) => (a < b ? -1 : 1));
  }

  addUnshown(count: number, toSeq: bigint): void {
    if (toSeq > this.readSeq) this.#unshown = { count: this.#unshown.count + count, toSeq };
  }

  raiseHead(seq: bigint): void {
    if (seq > this.headSeq) this.headSeq = seq;
  }

  raiseRead(seq: bigint): void {
    if (seq <= this.readSeq) return;
    this.readSeq = seq;
    this.#unread = this.#unread.filter((unread) => unread > seq);
    if (this.#unread.length < MOST_UNREAD) this.unreadIsCut = false;
    if (seq >= this.#unshown.toSeq) this.#unshown = { count: 0, toSeq: 0n };
  }

  raiseOwn(seq: bigint): void {
    if (seq > this.ownSeq) this.ownSeq = seq;
  }

  raisePeer(deliveredSeq: bigint, readSeq: bigint): void {
    if (deliveredSeq > this.peerDeliveredSeq) this.peerDeliveredSeq = deliveredSeq;
    if (readSeq > this.peerReadSeq) this.peerReadSeq = readSeq;
  }
}

export class Conversations {
  readonly #byPlace = new Map<string, ChatConversation>();
  readonly #byId = new Map<string, ChatConversation>();

  /** The conversation of that place, which is created if it does not exist. */
  at(place: ServerPlace, conversationId = ""): ChatConversation {
    const known = this.#byId.get(conversationId) ?? this.#byPlace.get(placeKey(place));
    const conversation = known ?? new ChatConversation(place);
    if (conversation.place.kind === "unknown") conversation.place = place;
    this.#byPlace.set(placeKey(place), conversation);
    if (conversationId !== "") {
      conversation.conversationId = conversationId;
      this.#byId.set(conversationId, conversation);
    }
    return conversation;
  }

  byId(conversationId: string): ChatConversation | undefined {
    return this.#byId.get(conversationId);
  }

  find(place: ServerPlace): ChatConversation | undefined {
    return this.#byPlace.get(placeKey(place));
  }

  /** Direct conversations with unread messages, the most unread first. */
  unread(): ChatConversation[] {
    return [...this.#byPlace.values()]
      .filter(({ place, unread }) => place.kind === "user" && unread > 0)
      .sort((a, b) => b.unread - a.unread);
  }

  /** Direct conversations with entries above the user's read marker. */
  behind(): ChatConversation[] {
    return [...this.#byPlace.values()].filter(
      ({ place, headSeq, readSeq }) => place.kind === "user" && headSeq > readSeq,
    );
  }

  usernames(): string[] {
    return [...this.#byPlace.values()].flatMap(({ place }) =>
      place.kind === "user" ? [place.username] : [],
    );
  }

  /** Forgets seqs and markers, after the server's log was replaced. `undefined` means all conversations. */
  forget(conversationId: string | undefined): void {
    const replaced = conversationId === undefined ? [...this.#byId.keys()] : [conversationId];
    for (const id of replaced) {
      const conversation = this.#byId.get(id);
      if (conversation === undefined) continue;
      this.#byId.delete(id);
      const fresh = new ChatConversation(conversation.place);
      fresh.shown = conversation.shown;
      this.#byPlace.set(placeKey(conversation.place), fresh);
    }
  }
}
