// Implements HistoryService: pages of a log as the reader sees it. Contents are sent as their senders encoded them.
import { Conversation, type Marker } from "../../gen/parley/chat/v1/conversation.ts";
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import {
  HistoryServiceService,
  type ListConversationsRequest,
  type ListConversationsResponse,
  type ListMessagesRequest,
  ListMessagesResponse,
  PageOrder,
} from "../../gen/parley/chat/v1/history_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { passThrough } from "../../rpc/calls/decode.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { toUser } from "../auth/user-messages.ts";
import type { ConversationLog, LogPage } from "../chat/conversation-log.ts";
import type { ConversationLookup } from "../chat/conversation-lookup.ts";
import { encodeHistoryEntry, encodeHistoryItem, toWireKind } from "../chat/encoding.ts";
import { toMarkerValues, toSeq, toSeqRanges } from "../chat/markers.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { ConversationRow, LogStore, StoredMarkers, UserRow } from "../store/store.ts";
import { type Gate, pageUnlessBackground, unlessBackground } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

export interface HistoryServiceParts {
  readonly gate: Gate;
  readonly store: LogStore;
  readonly log: ConversationLog;
  readonly lookup: ConversationLookup;
  readonly options: ServiceOptions;
}

export function historyService({ gate, store, log, lookup, options }: HistoryServiceParts) {
  return implementService(
    passThrough(HistoryServiceService, ["listMessages"]),
    {
      listConversations: gate.forSession(
        (request, { row }) => listConversations(request, row.user, store),
        pageUnlessBackground,
      ),
      getConversation: gate.forSession(async (request, { row }) => {
        const conversation = await lookup.find(row.user, request.target);
        return { conversation: conversation && toConversation(conversation) };
      }, unlessBackground),
      listMessages: gate.forSession(async (request, { row }) => {
        checkRange(request);
        const conversation = await lookup.find(row.user, request.target);
        return conversation === undefined
          ? new Uint8Array()
          : listMessages(request, row.user, conversation, log, store);
      }, pageUnlessBackground),
    },
    options,
  );
}

async function listConversations(
  request: ListConversationsRequest,
  asking: UserRow,
  store: LogStore,
): Promise<ListConversationsResponse> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListConversations", asking.userId);
  const after = tokens.readNumber(request.pageToken) ?? 0;
  const rows = await store.conversations(asking.userId, after, size + 1);
  const { items, next } = pageOf(rows, size, toConversation, Conversation);
  return {
    conversations: items,
    nextPageToken: next === undefined ? "" : tokens.make(String(next.conversationId)),
  };
}

function toConversation(row: ConversationRow): Conversation {
  return {
    conversationId: formatId("conversation", row.conversationId),
    kind: toWireKind(row.kind),
    peer: row.peer === undefined ? undefined : toUser(row.peer),
    headSeq: BigInt(row.headSeq),
    marker: toMarker(row.conversationId, row.markers),
    peerMarker: row.peerMarkers === undefined ? undefined : toMarker(row.conversationId, row.peerMarkers),
    undelivered: toSeqRanges(row.undelivered),
  };
}

/** @throws Refusal INVALID_FIELD */
function checkRange({ fromSeq, toSeq, fromTime, toTime, order }: ListMessagesRequest): void {
  if (toSeq !== 0n && fromSeq > toSeq) {
    throw new Refusal(Reason.INVALID_FIELD, { field: "to_seq", message: "The range ends before it begins." });
  }
  if (fromTime !== undefined && toTime !== undefined && fromTime > toTime) {
    throw new Refusal(Reason.INVALID_FIELD, {
      field: "to_time",
      message: "The range ends before it begins.",
    });
  }
  if (!orders.includes(order)) {
    throw new Refusal(Reason.INVALID_FIELD, {
      field: "order",
      message: "This server does not know the order.",
    });
  }
}

const orders: readonly PageOrder[] = [PageOrder.UNSPECIFIED, PageOrder.OLDEST_FIRST, PageOrder.NEWEST_FIRST];

async function listMessages(
  request: ListMessagesRequest,
  asking: UserRow,
  conversation: ConversationRow,
  log: ConversationLog,
  store: LogStore,
): Promise<Uint8Array> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.historyPageMost);
  const newest = request.order === PageOrder.NEWEST_FIRST;
  const { conversationId, headSeq } = conversation;
  const tokens = new PageTokens(
    "ListMessages",
    asking.userId,
    conversationId,
    request.fromSeq,
    request.toSeq,
    request.order,
    request.fromTime?.getTime() ?? "",
    request.toTime?.getTime() ?? "",
  );
  const next = tokens.readNumber(request.pageToken);
  let from = Math.max(1, toSeq(request.fromSeq));
  let to = request.toSeq === 0n ? headSeq : Math.min(headSeq, toSeq(request.toSeq));
  if (request.fromTime !== undefined) {
    from = Math.max(from, await store.seqAt(conversationId, request.fromTime.getTime()));
  }
  if (request.toTime !== undefined) {
    to = Math.min(to, (await store.seqAt(conversationId, request.toTime.getTime())) - 1);
  }
  if (next !== undefined) {
    if (newest) to = Math.min(to, next);
    else from = Math.max(from, next);
  }
  if (from > to) return encodePage([], "", conversation);
  const page = await log.page(asking.userId, conversation, from, to, { entries: size, newest });
  const isLast = newest ? page.from <= from : page.to >= to;
  const nextPageToken = isLast ? "" : tokens.make(String(newest ? page.from - 1 : page.to + 1));
  return encodePage(itemsOf(conversationId, page), nextPageToken, conversation);
}

function encodePage(items: Uint8Array[], nextPageToken: string, conversation: ConversationRow): Uint8Array {
  const rest = ListMessagesResponse.encode({
    items: [],
    nextPageToken,
    conversationId: formatId("conversation", conversation.conversationId),
    headSeq: BigInt(conversation.headSeq),
  }).finish();
  return Buffer.concat([...items, rest]);
}

function itemsOf(conversation: number, page: LogPage): Uint8Array[] {
  const conversationId = formatId("conversation", conversation);
  return page.items.map((item) => {
    if (item.kind === "entry") return encodeHistoryEntry(item.entry, page.usersOf(item.entry));
    const range = { conversationId, fromSeq: BigInt(item.from), toSeq: BigInt(item.to) };
    return encodeHistoryItem({
      item:
        item.kind === "omitted"
          ? { $case: "omitted", value: range }
          : { $case: "gap", value: { ...range, kind: GapKind.GONE } },
    });
  });
}

function toMarker(conversationId: number, markers: StoredMarkers): Marker {
  return { conversationId: formatId("conversation", conversationId), ...toMarkerValues(markers) };
}
