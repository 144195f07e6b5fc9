// What arrives: shown where it stands, counted as unread until it is seen, and told of in one go after time away.
import type { Conversation as ListedConversation } from "../../../../gen/parley/chat/v1/conversation.ts";
import { ConversationKind } from "../../../../gen/parley/chat/v1/conversation.ts";
import type { EntriesSkipped, EntryArrived, MarkersMoved } from "../../../link/model/events.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { ChatConversation, Conversations } from "../model/conversations.ts";
import type { Count, Display, MessageItem } from "../model/display-item.ts";
import { everyone, type Place, placeOfEntry, withUser } from "../model/place.ts";
import type { Attention } from "./attention.ts";
import { MissedMessages, type MissedReport } from "./missed-messages.ts";

export interface IncomingMessagesOptions {
  readonly link: ChatLink;
  readonly conversations: Conversations;
  readonly attention: Attention;
  readonly display: Pick<Display, "show" | "refresh" | "bell">;
  /** The most missed lines that are shown. */
  readonly mostMissed: number;
  /** Whatever is shown has been seen: there is nothing to open. */
  readonly seesAll: boolean;
  isOpen(place: Place): boolean;
  isEcho(entry: EntryArrived): boolean;
}

/** Conversations whose older unread messages are counted at the start: one call each. */
const MOST_COUNTED = 20;
const COUNTED_ENTRIES = 500;

export class IncomingMessages {
  readonly #options: IncomingMessagesOptions;
  #missed: MissedMessages | undefined;
  #returned = false;

  constructor(options: IncomingMessagesOptions) {
    this.#options = options;
  }

  /** A stream opened: until `caughtUp` what comes was missed. */
  streamOpened(): void {
    this.#missed ??= new MissedMessages(this.#options.mostMissed);
  }

  entry(entry: EntryArrived): void {
    const conversation = this.#options.conversations.at(placeOfEntry(entry), entry.conversationId);
    conversation.raiseHead(entry.seq);
    if (entry.mine) conversation.raiseOwn(entry.seq);
    if (this.#options.isEcho(entry)) return;
    if (this.#missed === undefined) this.#show(conversation, entry, !entry.mine);
    else this.#missed.add(conversation, entry);
  }

  /** As `entry`, for one that was taken for an echo and was none. */
  mistaken(entry: EntryArrived): void {
    this.#show(this.#options.conversations.at(placeOfEntry(entry), entry.conversationId), entry, false);
  }

  leftOut(event: EntriesSkipped): void {
    const { conversations, display } = this.#options;
    const place: Place = { kind: "unknown", conversationId: event.conversationId };
    const conversation = conversations.at(place, event.conversationId);
    conversation.raiseHead(event.toSeq);
    if (this.#missed !== undefined) {
      this.#missed.leftOut(conversation, event);
      return;
    }
    const count = Number(event.toSeq - event.fromSeq) + 1;
    if (event.fillable) display.show({ kind: "not-shown", place: conversation.place, count, lines: count });
    else display.show({ kind: "missing", place: conversation.place, count, why: "gone" });
  }

  markers(event: MarkersMoved): void {
    const conversation = this.#options.conversations.byId(event.conversationId);
    if (event.mine) conversation?.raiseRead(event.readSeq);
    else if (conversation !== undefined) {
      conversation.raisePeer(event.deliveredSeq, event.readSeq);
      conversation.undelivered = event.undelivered;
    }
  }

  /** Shows what was missed; also when the connection went before all of it was here. */
  async caughtUp(): Promise<void> {
    const missed = this.#missed;
    this.#missed = undefined;
    if (missed === undefined) return;
    const before = this.#returned ? [] : await this.#unreadBefore(missed);
    if (!missed.isEmpty) this.#report(missed.report());
    if (before.length > 0) this.#options.display.show({ kind: "unread-before", from: before });
    this.#returned = true;
  }

  /** What is on the screen of this conversation has been seen. */
  seen(conversation: ChatConversation): void {
    this.#markRead(conversation, conversation.headSeq);
  }

  /** How far the user and the other one are in a conversation, by the server's own list. */
  learn(listed: ListedConversation): void {
    const { conversationId, kind, peer, headSeq, marker, peerMarker, undelivered } = listed;
    const place: Place =
      kind === ConversationKind.BROADCAST
        ? everyone
        : kind === ConversationKind.DIRECT && peer !== undefined
          ? withUser(peer.username)
          : { kind: "unknown", conversationId };
    const conversation = this.#options.conversations.at(place, conversationId);
    conversation.raiseHead(headSeq);
    conversation.raiseRead(marker?.readSeq ?? 0n);
    conversation.raisePeer(peerMarker?.deliveredSeq ?? 0n, peerMarker?.readSeq ?? 0n);
    conversation.undelivered = undelivered;
  }

  #markRead(conversation: ChatConversation, seq: bigint): void {
    const { conversationId, readSeq } = conversation;
    if (conversationId === "" || seq <= readSeq) return;
    conversation.raiseRead(seq);
    this.#options.link.markRead(conversationId, seq);
  }

  #show(conversation: ChatConversation, entry: EntryArrived, unread: boolean): void {
    const { attention, display } = this.#options;
    display.show(this.#note(conversation, entry));
    conversation.shown = true;
    if (!unread) return;
    conversation.addUnread(entry.seq);
    if (attention.arrived(entry.kind === "broadcast" ? "broadcast" : "direct")) display.bell();
    if (this.#isSeenWhenShown(conversation)) this.seen(conversation);
  }

  /** Broadcasts cannot be opened: they are seen where they stand. */
  #isSeenWhenShown({ place }: ChatConversation): boolean {
    if (this.#options.seesAll) return true;
    return this.#options.attention.sees && (place.kind !== "user" || this.#options.isOpen(place));
  }

  #note(conversation: ChatConversation, entry: EntryArrived): MessageItem {
    const { place } = conversation;
    return {
      kind: "message",
      time: entry.sendTime,
      from: entry.sender.username,
      mine: entry.mine,
      place,
      content: entry.content,
      here: this.#options.isOpen(place),
      waiting: false,
      echo: entry.mine,
    };
  }

  #report({ since, from, notShown, gone, lines }: MissedReport): void {
    const { display } = this.#options;
    const total = from.reduce((sum, { count }) => sum + count, 0);
    if (total > 0) display.show({ kind: "new-since", since, total, from });
    for (const count of gone) display.show({ kind: "missing", ...count, why: "gone" });
    for (const { conversation, count, unread, lines: entries, toSeq } of notShown) {
      display.show({ kind: "not-shown", place: conversation.place, count, lines: entries });
      if (conversation.place.kind === "user") conversation.addUnshown(unread, toSeq);
    }
    if (total === 0 && lines.length > 0 && !this.#returned) {
      display.show({ kind: "history-heading", place: undefined });
    }
    let ruled = this.#returned;
    for (const { conversation, entry, unread } of lines) {
      if (unread && !ruled) {
        display.show({ kind: "unread-rule" });
        ruled = true;
      }
      this.#show(conversation, entry, unread);
    }
  }

  /**
   * Unread messages that the server does not push, since this device had taken them in an earlier run, or is new: they
   * are counted, and those of conversations of which nothing else came are returned. Where there are only own ones, the
   * marker is raised over them, so that the next run need not look.
   */
  async #unreadBefore(missed: MissedMessages): Promise<Count[]> {
    const counts: Count[] = [];
    for (const conversation of this.#options.conversations.behind().slice(0, MOST_COUNTED)) {
      const { readSeq, headSeq, place } = conversation;
      const came = missed.firstSeq(conversation);
      const toSeq = (came ?? headSeq + 1n) - 1n;
      if (toSeq <= readSeq) continue;
      const { count, since } = await this.#countUnread(conversation, toSeq);
      if (count === 0) this.#markRead(conversation, toSeq);
      else if (came !== undefined) missed.unreadBefore(conversation, readSeq + 1n, count, since);
      else {
        conversation.addUnshown(count, toSeq);
        counts.push({ place, count });
      }
    }
    return counts;
  }

  /** How many messages the other user has in the log beyond the read marker; beyond a page all entries are counted. */
  async #countUnread(
    { conversationId, readSeq, place }: ChatConversation,
    toSeq: bigint,
  ): Promise<{ count: number; since: Date | undefined }> {
    const { account } = this.#options.link;
    const range = { fromSeq: readSeq + 1n, toSeq, pageSize: COUNTED_ENTRIES, background: true };
    for await (const page of account.listMessages({ kind: "conversation", conversationId }, range)) {
      const entries = page.items.flatMap(({ item }) => (item?.$case === "entry" ? [item.value] : []));
      const byPeer = entries.filter(
        ({ sender }) => place.kind === "user" && sender?.username === place.username,
      );
      const last = entries.at(-1)?.seq ?? toSeq;
      const beyond = page.nextPageToken === "" ? 0 : Number(toSeq - last);
      return { count: byPeer.length + beyond, since: byPeer[0]?.sendTime };
    }
    return { count: 0, since: undefined };
  }
}
