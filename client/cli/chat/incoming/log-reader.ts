// Reads history from the server's log, page by page: on request, or when a conversation is opened.
import type { Entry } from "../../../../gen/parley/chat/v1/entry.ts";
import type { HistoryItem, ListMessagesResponse } from "../../../../gen/parley/chat/v1/history_service.ts";
import type { ConversationTarget } from "../../../link/model/target.ts";
import { refuse } from "../command/chat-command.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { ChatConversation, Conversations } from "../model/conversations.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { type ServerPlace, targetOfPlace, withUser } from "../model/place.ts";

/** The most entries in a page. */
const PAGE = 500;
/**
 * Entries shown when a conversation is opened: the least, the most, and how many already read ones above the unread
 * ones.
 */
const CONTEXT = { least: 10, most: 200, read: 3 };

export interface LogReaderOptions {
  readonly link: ChatLink;
  /** The user's own name. */
  readonly me: string;
  readonly conversations: Conversations;
  isOpen(place: ServerPlace): boolean;
}

export class LogReader {
  readonly #options: LogReaderOptions;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /**
   * The last `entries` entries of a place, oldest first.
   * @throws RpcError, ConnectError; CommandError if there are none
   */
  async *history(place: ServerPlace, entries: number): AsyncGenerator<DisplayItem> {
    const { link, isOpen } = this.#options;
    const target = this.#target(place);
    const { headSeq, items, nextPageToken } = await this.#newest(target, entries, false);
    if (items.length === 0)
      throw refuse(
        `There are no messages ${place.kind === "user" ? `with ${place.username}` : "to everyone"} yet.`,
      );
    yield { kind: "history-heading", place };
    const here = isOpen(place);
    if (nextPageToken === "" || items.length >= entries) {
      yield* whole(this.#notes(items, place, here));
      return;
    }
    const from = headSeq - BigInt(entries) + 1n;
    const range = { fromSeq: from > 1n ? from : 1n, toSeq: headSeq, pageSize: PAGE };
    for await (const page of link.account.listMessages(target, range)) {
      yield* whole(this.#notes(page.items, place, here));
    }
  }

  /**
   * The end of a conversation, with a rule above the first unread message.
   * @throws RpcError if the user does not exist; ConnectError
   */
  async context(username: string, known: ChatConversation | undefined): Promise<DisplayItem[]> {
    const place = withUser(username);
    const { readSeq, unread, headSeq } = known ?? { readSeq: 0n, unread: 0, headSeq: 0n };
    const unreadSpan = unread === 0 ? 0 : Number(headSeq - readSeq);
    const wanted = Math.max(CONTEXT.least, unreadSpan + CONTEXT.read);
    const page = await this.#newest({ kind: "user", username }, Math.min(CONTEXT.most, wanted), true);
    if (page.conversationId !== "") {
      this.#options.conversations.at(place, page.conversationId).raiseHead(page.headSeq);
    }
    const left = unreadSpan - page.items.length;
    const ruleAbove = unread === 0 ? undefined : readSeq;
    return [...this.#headed(page.items, username, ruleAbove, left, unreadSpan)];
  }

  /**
   * The unread messages of a conversation up to `toSeq`; those above it are on the screen already.
   * @throws RpcError, ConnectError
   */
  async missing(
    username: string,
    { readSeq, headSeq }: ChatConversation,
    toSeq: bigint,
  ): Promise<DisplayItem[]> {
    const range = {
      fromSeq: readSeq + 1n,
      toSeq,
      newestFirst: true,
      pageSize: CONTEXT.most,
      background: true,
    };
    const { items } = await this.#page({ kind: "user", username }, range);
    const left = Number((firstSeq(items[0]) ?? readSeq + 1n) - readSeq) - 1;
    return [...this.#headed(items, username, readSeq, left, Number(headSeq - readSeq))];
  }

  /** A heading, the number of entries left out above, and the entries, with a rule above the first after `readSeq`. */
  *#headed(
    items: readonly HistoryItem[],
    username: string,
    readSeq: bigint | undefined,
    left: number,
    lines: number,
  ): Generator<DisplayItem> {
    if (items.length === 0) return;
    const place = withUser(username);
    yield { kind: "history-heading", place };
    if (left > 0) yield { kind: "not-shown", place, count: left, lines };
    let ruled = readSeq === undefined;
    for (const item of items) {
      const entry = item.item?.$case === "entry" ? item.item.value : undefined;
      if (
        !ruled &&
        entry !== undefined &&
        entry.seq > (readSeq ?? 0n) &&
        entry.sender?.username === username
      ) {
        yield { kind: "unread-rule" };
        ruled = true;
      }
      yield* this.#notes([item], place, true);
    }
  }

  #target(place: ServerPlace): ConversationTarget {
    const target = targetOfPlace(place);
    if (target.kind !== "broadcast") return target;
    const conversationId = this.#options.conversations.find(place)?.conversationId ?? "";
    if (conversationId === "") throw refuse("Not connected yet.");
    return { kind: "conversation", conversationId };
  }

  async #newest(
    target: ConversationTarget,
    entries: number,
    background: boolean,
  ): Promise<ListMessagesResponse> {
    return this.#page(target, { newestFirst: true, pageSize: Math.min(entries, PAGE), background });
  }

  async #page(
    target: ConversationTarget,
    range: Parameters<ChatLink["account"]["listMessages"]>[1],
  ): Promise<ListMessagesResponse> {
    for await (const page of this.#options.link.account.listMessages(target, range)) return page;
    return { items: [], nextPageToken: "", conversationId: "", headSeq: 0n };
  }

  *#notes(items: readonly HistoryItem[], place: ServerPlace, here: boolean): Generator<DisplayItem> {
    for (const { item } of items) {
      if (item?.$case === "entry") yield this.#entry(item.value, place, here);
      else if (item?.$case === "omitted") {
        yield { kind: "missing", place, count: span(item.value), why: "not-visible" };
      } else if (item?.$case === "gap") {
        yield { kind: "missing", place, count: span(item.value), why: "gone" };
      }
    }
  }

  #entry({ sender, sendTime, content }: Entry, place: ServerPlace, here: boolean): DisplayItem {
    const from = sender?.username ?? "";
    const text = content?.kind?.$case === "text" ? content.kind.value : undefined;
    return {
      kind: "message",
      time: sendTime,
      from,
      mine: from === this.#options.me,
      place,
      content: text === undefined ? { kind: "unknown" } : { kind: "text", text },
      here,
      waiting: false,
      echo: false,
    };
  }
}

function firstSeq({ item }: HistoryItem = { item: undefined }): bigint | undefined {
  return item?.$case === "entry" ? item.value.seq : item?.value.fromSeq;
}

function* whole(notes: Iterable<DisplayItem>): Generator<DisplayItem> {
  for (const note of notes) yield note.kind === "message" ? { ...note, whole: true } : note;
}

function span({ fromSeq, toSeq }: { fromSeq: bigint; toSeq: bigint }): number {
  return Number(toSeq - fromSeq) + 1;
}
