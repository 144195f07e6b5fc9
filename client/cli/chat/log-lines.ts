// Lines of history out of the server's log, in order, a page at a time.
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { HistoryItem, ListMessagesResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import type { ConversationTarget } from "../../link/target.ts";
import type { ChatLink } from "./chat-link.ts";
import type { Note } from "./note.ts";
import type { Place } from "./place.ts";

/** A page of a log, at most. */
export const PAGE = 500;

/** One page: the newest `entries` of a log. */
export async function newestPage(
  link: ChatLink,
  target: ConversationTarget,
  entries: number,
): Promise<ListMessagesResponse> {
  const range = { newestFirst: true, pageSize: Math.min(entries, PAGE) };
  for await (const page of link.account.listMessages(target, range)) return page;
  return { items: [], nextPageToken: "", conversationId: "", headSeq: 0n };
}

/** The items from seq `from` to `to`, oldest first. */
export async function* logItems(
  link: ChatLink,
  target: ConversationTarget,
  fromSeq: bigint,
  toSeq: bigint,
): AsyncGenerator<HistoryItem> {
  for await (const page of link.account.listMessages(target, { fromSeq, toSeq, pageSize: PAGE }))
    yield* page.items;
}

/** How an item of history is shown in a listing of one place. */
export function noteOfItem({ item }: HistoryItem, place: Place, me: string): Note | undefined {
  switch (item?.$case) {
    case "entry":
      return noteOfEntry(item.value, place, me);
    case "omitted":
      return { kind: "missing", place, count: span(item.value), why: "not-visible" };
    case "gap":
      return { kind: "missing", place, count: span(item.value), why: "gone" };
    default:
      return undefined;
  }
}

function noteOfEntry({ sender, sendTime, content }: Entry, place: Place, me: string): Note {
  const from = sender?.username ?? "";
  const text = content?.kind?.$case === "text" ? content.kind.value : undefined;
  return {
    kind: "message",
    time: sendTime,
    from,
    mine: from === me,
    place,
    content: text === undefined ? { kind: "unknown" } : { kind: "text", text },
    here: true,
    waiting: false,
    echo: false,
  };
}

function span({ fromSeq, toSeq }: { fromSeq: bigint; toSeq: bigint }): number {
  return Number(toSeq - fromSeq) + 1;
}
