// Encodes events. Each event is encoded once, as a list element of a frame, and shared by all its readers.
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ConversationKind as WireKind } from "../../gen/parley/chat/v1/conversation.ts";
import { Entry } from "../../gen/parley/chat/v1/entry.ts";
import { type Ack, Event } from "../../gen/parley/chat/v1/event.ts";
import { HistoryItem } from "../../gen/parley/chat/v1/history_service.ts";
import { User } from "../../gen/parley/chat/v1/user.ts";
import { toUser } from "../auth/user-messages.ts";
import { formatId } from "../ids.ts";
import type { ConversationKind, StoredEntry, UserRow } from "../store/store.ts";
import { fieldSize, PieceWriter, varintSize } from "./piece-writer.ts";

/**
 * Field numbers of the fields that this file writes without generated code. They are checked by
 * test/server/chat/encoding.test.ts.
 */
const FRAME_EVENTS = 1;
const EVENT_ACK = 3;
const EVENT_ENTRY_APPENDED = 5;
const ENTRY_APPENDED_ENTRY = 1;
const RESPONSE_ITEMS = 1;
const HISTORY_ITEM_ENTRY = 1;
export const CONTENT_FIELD = 15;

const LENGTH_DELIMITED = 2;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const tag = (field: number): number => (field << 3) | LENGTH_DELIMITED;

export function toWireKind(kind: ConversationKind): WireKind {
  switch (kind) {
    case "direct":
      return WireKind.DIRECT;
    case "broadcast":
      return WireKind.BROADCAST;
  }
}

/** Encodes an Omitted: entries of the log that the reader may not see. */
export function encodeOmitted(conversationId: number, from: number, to: number): Uint8Array {
  const range = { fromSeq: BigInt(from), toSeq: BigInt(to) };
  return encodeEvent({
    kind: {
      $case: "omitted",
      value: { conversationId: formatId("conversation", conversationId), ...range },
    },
  });
}

/** Encodes an event as one list element of a ConnectResponse or FollowResponse. */
export function encodeEvent(event: Event): Uint8Array {
  return Event.encode(event, new BinaryWriter().uint32(tag(FRAME_EVENTS)).fork())
    .join()
    .finish();
}

/** A stored send, as an Ack describes it. */
export interface StoredSend {
  /** 1 to 2^64-1. */
  readonly clientMessageId: bigint;
  readonly conversationId: number;
  readonly seq: number;
  readonly time: number;
  readonly withheld: boolean;
}

/** Encodes the Ack of a first send; the sending stream receives it in the entry's position. */
export function encodeAck(send: StoredSend): Uint8Array {
  if (send.clientMessageId > MAX_SAFE || send.withheld)
    return encodeEvent({ kind: { $case: "ack", value: toAck(send, false) } });
  const clientMessageId = Number(send.clientMessageId);
  const conversationId = formatId("conversation", send.conversationId);
  const timeLength = timestampLength(send.time);
  const ack =
    1 +
    varintSize(clientMessageId) +
    fieldSize(conversationId.length) +
    1 +
    varintSize(send.seq) +
    fieldSize(timeLength);
  const event = fieldSize(ack);
  const writer = new PieceWriter(fieldSize(event))
    .open(FRAME_EVENTS, event)
    .open(EVENT_ACK, ack)
    .number(1, clientMessageId)
    .ascii(2, conversationId)
    .number(3, send.seq)
    .open(4, timeLength);
  return writeTimestamp(writer, send.time).finish();
}

export function toAck(send: StoredSend, repeatedSend: boolean): Ack {
  return {
    clientMessageId: send.clientMessageId,
    conversationId: formatId("conversation", send.conversationId),
    seq: BigInt(send.seq),
    sendTime: new Date(send.time),
    repeatedSend,
    withheld: send.withheld,
  };
}

/** The users that an entry names. */
export interface EntryUsers {
  readonly sender: UserRow;
  /** Undefined for a broadcast. */
  readonly recipient: UserRow | undefined;
}

/** Encodes an EntryAppended. The content is copied as the sender encoded it, including fields unknown to this server. */
export function encodeEntryAppended(entry: StoredEntry, users: EntryUsers): Uint8Array {
  const conversationId = formatId("conversation", entry.conversationId);
  const sender = encodedUser(users.sender);
  const recipient = users.recipient && encodedUser(users.recipient);
  const timeLength = timestampLength(entry.time);
  const length =
    fieldSize(conversationId.length) +
    1 +
    varintSize(entry.seq) +
    2 +
    fieldSize(sender.length) +
    (recipient === undefined ? 0 : fieldSize(recipient.length)) +
    fieldSize(timeLength) +
    fieldSize(entry.content.length);
  const appended = fieldSize(length);
  const event = fieldSize(appended);
  const writer = new PieceWriter(fieldSize(event))
    .open(FRAME_EVENTS, event)
    .open(EVENT_ENTRY_APPENDED, appended)
    .open(ENTRY_APPENDED_ENTRY, length)
    .ascii(1, conversationId)
    .number(2, entry.seq)
    .number(3, toWireKind(entry.kind))
    .bytes(4, sender);
  if (recipient !== undefined) writer.bytes(5, recipient);
  writer.open(6, timeLength);
  return writeTimestamp(writer, entry.time).bytes(CONTENT_FIELD, entry.content).finish();
}

/** Encodes a user as the value of a field. The encoding is kept for as long as the row is cached. */
function encodedUser(row: UserRow): Uint8Array {
  let encoded = encodedUsers.get(row);
  if (encoded === undefined) {
    encoded = User.encode(toUser(row)).finish();
    encodedUsers.set(row, encoded);
  }
  return encoded;
}

const encodedUsers = new WeakMap<UserRow, Uint8Array>();

function timestampLength(time: number): number {
  const nanos = (time % 1000) * 1_000_000;
  return 1 + varintSize(Math.floor(time / 1000)) + (nanos === 0 ? 0 : 1 + varintSize(nanos));
}

function writeTimestamp(writer: PieceWriter, time: number): PieceWriter {
  const nanos = (time % 1000) * 1_000_000;
  writer.number(1, Math.floor(time / 1000));
  return nanos === 0 ? writer : writer.number(2, nanos);
}

/** Encodes an entry as an item of ListMessagesResponse; the content is copied as in encodeEntryAppended. */
export function encodeHistoryEntry(entry: StoredEntry, users: EntryUsers): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(tag(RESPONSE_ITEMS)).fork();
  writer.uint32(tag(HISTORY_ITEM_ENTRY)).fork();
  Entry.encode(entryWithoutContent(entry, users), writer);
  writer.uint32(tag(CONTENT_FIELD)).bytes(entry.content);
  return writer.join().join().finish();
}

/** Encodes an Omitted or a Gap as an item of ListMessagesResponse. */
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
