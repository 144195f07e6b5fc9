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
import { passThrough } from "../../rpc/calls/decode.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { toUser } from "../auth/user-messages.ts";
import type { ConversationLog, LogPage } from "../chat/conversation-log.ts";
import { encodeHistoryEntry, encodeHistoryItem, toWireKind } from "../chat/encoding.ts";
import { toSeq, toSeqRanges } from "../chat/markers.ts";
import type { MessageSending } from "../chat/sending.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { ConversationRow, LogStore, MarkerSeqs, UserRow } from "../store/store.ts";
import { type Gate, pageUnlessBackground } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

export interface HistoryServiceParts {
  readonly gate: Gate;
  readonly store: LogStore;
  readonly log: ConversationLog;
  readonly sending: MessageSending;
  readonly options: ServiceOptions;
}

export function historyService({ gate, store, log, sending, options }: HistoryServiceParts) {
  return implementService(
    passThrough(HistoryServiceService, ["listMessages"]),
    {
      listConversations: gate.forSession(
        (request, { row }) => listConversations(request, row.user, store),
        pageUnlessBackground,
      ),
      listMessages: gate.forSession(async (request, { row }) => {
        const { target, peer } = await sending.destination(row.user, request.target);
        const conversation =
          "conversationId" in target
            ? await store.conversation(row.user.userId, target.conversationId)
            : peer && (await store.directConversation(row.user.userId, peer.userId));
        return conversation === undefined
          ? new Uint8Array()
          : listMessages(request, row.user, conversation, log);
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

async function listMessages(
  request: ListMessagesRequest,
  asking: UserRow,
  conversation: ConversationRow,
  log: ConversationLog,
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
  );
  const next = tokens.readNumber(request.pageToken);
  let from = Math.max(1, toSeq(request.fromSeq));
  let to = request.toSeq === 0n ? headSeq : Math.min(headSeq, toSeq(request.toSeq));
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

function toMarker(conversationId: number, markers: MarkerSeqs): Marker {
  return {
    conversationId: formatId("conversation", conversationId),
    deliveredSeq: BigInt(markers.deliveredSeq),
    readSeq: BigInt(markers.readSeq),
  };
}
