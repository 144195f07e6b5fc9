// From what happened to bytes: each event is encoded once, as one list element of a frame, and shared by its readers.
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ConversationKind as WireKind } from "../../gen/parley/chat/v1/conversation.ts";
import { Entry } from "../../gen/parley/chat/v1/entry.ts";
import { type Ack, Event } from "../../gen/parley/chat/v1/event.ts";
import { HistoryItem } from "../../gen/parley/chat/v1/history_service.ts";
import { formatId } from "../ids.ts";
import type { ConversationKind, StoredEntry, UserRow } from "../store/store.ts";
import { toUser } from "./users.ts";

/** Field numbers of the proto that this file writes by itself; test/server/chat/encoding.test.ts holds them to it. */
const FRAME_EVENTS = 1;
const EVENT_ENTRY_APPENDED = 5;
const ENTRY_APPENDED_ENTRY = 1;
const RESPONSE_ITEMS = 1;
const HISTORY_ITEM_ENTRY = 1;
export const CONTENT_FIELD = 15;

const LENGTH_DELIMITED = 2;
const tag = (field: number): number => (field << 3) | LENGTH_DELIMITED;

export function toWireKind(kind: ConversationKind): WireKind {
  switch (kind) {
    case "direct":
      return WireKind.DIRECT;
    case "broadcast":
      return WireKind.BROADCAST;
  }
}

/** An event as one list element of ConnectResponse and FollowResponse. */
export function encodeEvent(event: Event): Uint8Array {
  return Event.encode(event, new BinaryWriter().uint32(tag(FRAME_EVENTS)).fork())
    .join()
    .finish();
}

export function encodeAck(ack: Ack): Uint8Array {
  return encodeEvent({ kind: { $case: "ack", value: ack } });
}

/** Who wrote and who receives an entry. */
export interface EntryUsers {
  readonly sender: UserRow;
  readonly recipient: UserRow | undefined;
}

/** The entry with its content as the bytes that the sender gave, so that fields unknown to this server stay in it. */
export function encodeEntryAppended(entry: StoredEntry, users: EntryUsers): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(tag(FRAME_EVENTS)).fork();
  writer.uint32(tag(EVENT_ENTRY_APPENDED)).fork();
  writer.uint32(tag(ENTRY_APPENDED_ENTRY)).fork();
  Entry.encode(entryWithoutContent(entry, users), writer);
  writer.uint32(tag(CONTENT_FIELD)).bytes(entry.content);
  return writer.join().join().join().finish();
}

/** The same entry as one item of ListMessagesResponse. */
export function encodeHistoryEntry(entry: StoredEntry, users: EntryUsers): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(tag(RESPONSE_ITEMS)).fork();
  writer.uint32(tag(HISTORY_ITEM_ENTRY)).fork();
  Entry.encode(entryWithoutContent(entry, users), writer);
  writer.uint32(tag(CONTENT_FIELD)).bytes(entry.content);
  return writer.join().join().finish();
}

/** Anything else that stands in a log's place, as one item of ListMessagesResponse. */
export function encodeHistoryItem(item: HistoryItem): Uint8Array {
  return HistoryItem.encode(item, new BinaryWriter().uint32(tag(RESPONSE_ITEMS)).fork())
    .join()
    .finish();
}

function entryWithoutContent(entry: StoredEntry, users: EntryUsers): Entry {
  return {
    conversationId: formatId("conversation", entry.conversationId),
    seq: BigInt(entry.seq),
    kind: toWireKind(entry.kind),
    sender: toUser(users.sender),
    recipient: users.recipient === undefined ? undefined : toUser(users.recipient),
    sendTime: new Date(entry.time),
    content: undefined,
  };
}
