// Incoming messages: shows them, counts them as unread until they are seen, and summarizes those missed while away.
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
  /** The most missed messages that are shown. */
  readonly mostMissed: number;
  /** Everything that is shown counts as read, as in plain mode. */
  readonly readsAll: boolean;
  isOpen(place: Place): boolean;
  isEcho(entry: EntryArrived): boolean;
}

/** The most conversations whose older unread messages are counted at the start; each takes one call. */
const MOST_COUNTED = 20;
/** The most entries that are read to count them. */
const COUNTED_ENTRIES = 500;

export class IncomingMessages {
  readonly #options: IncomingMessagesOptions;
  #missed: MissedMessages | undefined;
  #returned = false;

  constructor(options: IncomingMessagesOptions) {
    this.#options = options;
  }

  /** A stream opened: entries until `caughtUp` were missed. */
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

  /** Shows an entry that was mistaken for the echo of a line that was sent here. */
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

  /** Shows the missed messages; also called when the connection is lost before the last one arrived. */
  async caughtUp(): Promise<void> {
    const missed = this.#missed;
    this.#missed = undefined;
    if (missed === undefined) return;
    const before = this.#returned ? [] : await this.#unreadBefore(missed);
    if (!missed.isEmpty) this.#report(missed.report());
    if (before.length > 0) this.#options.display.show({ kind: "unread-before", from: before });
    this.#returned = true;
  }

  /** Marks everything in this conversation as read. */
  seen(conversation: ChatConversation): void {
    this.#markRead(conversation, conversation.headSeq);
  }

  /** Takes the markers of the user and the peer from the server's list of conversations. */
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
    conversation.deliveredSeq = marker?.deliveredSeq ?? 0n;
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

  /** Broadcasts cannot be opened: they are read when they are shown. */
  #isSeenWhenShown({ place }: ChatConversation): boolean {
    if (this.#options.readsAll) return true;
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
   * Counts unread messages that the server does not push, because this device received them in an earlier run or is
   * new. Returns the counts of conversations without missed messages; the others are added to `missed`. If all of the
   * entries are own ones, the read marker is raised past them, so that the next run does not count them again.
   */
  async #unreadBefore(missed: MissedMessages): Promise<Count[]> {
    const counts: Count[] = [];
    for (const conversation of this.#options.conversations.behind().slice(0, MOST_COUNTED)) {
      const { readSeq, headSeq, place, deliveredSeq } = conversation;
      const firstMissed = missed.firstSeq(conversation);
      const toSeq = (firstMissed ?? headSeq + 1n) - 1n;
      if (toSeq <= readSeq) continue;
      const { count, since } = await this.#countUnread(conversation, toSeq);
      if (count === 0) this.#markRead(conversation, toSeq);
      else if (firstMissed !== undefined) {
        const wasShown = toSeq <= deliveredSeq;
        missed.unreadBefore(conversation, readSeq + 1n, { count, since, wasShown });
      } else {
        conversation.addUnshown(count, toSeq);
        counts.push({ place, count });
      }
    }
    return counts;
  }

  /** How many messages of the peer are above the read marker. Beyond the first page every entry is counted. */
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
