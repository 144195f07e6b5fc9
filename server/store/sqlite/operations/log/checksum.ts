// The checksum of a stored entry: the CRC-32 of zlib (ISO 3309) over its position, its other fields, and its content.
// Pages of SQLite have no checksum, so bytes that change on the disk are found only with this one.
import { crc32 } from "node:zlib";
import type { Database } from "../../database/database.ts";

/** What the checksum covers. */
export interface CheckedEntry {
  readonly position: number;
  readonly conversationId: number;
  readonly seq: number;
  readonly senderId: number;
  readonly deviceId: number;
  /** The upper half of the client message id, as a signed number, and the lower half, as an unsigned one. */
  readonly idHigh: number;
  readonly idLow: number;
  readonly time: number;
  readonly kind: number;
  readonly content: Uint8Array;
}

/** The halves of the 64 bits of a client message id, which is given as a signed number. */
export function halvesOf(clientMessageId: bigint): Pick<CheckedEntry, "idHigh" | "idLow"> {
  return { idHigh: Number(clientMessageId >> 32n), idLow: Number(clientMessageId & 0xffff_ffffn) };
}

const FIELDS_BYTES = 64;

/** Takes an entry as one piece, since one call of crc32 costs less than two. It grows with the largest entry. */
let scratch = Buffer.alloc(4096);

/** 0 to 2^32-1. Costs about 0.2 µs for an entry of 130 bytes. */
export function checksumOf(entry: CheckedEntry): number {
  const { content } = entry;
  const bytes = FIELDS_BYTES + content.length;
  if (scratch.length < bytes) scratch = Buffer.alloc(2 * bytes);
  scratch.writeDoubleLE(entry.position, 0);
  scratch.writeDoubleLE(entry.conversationId, 8);
  scratch.writeDoubleLE(entry.seq, 16);
  scratch.writeDoubleLE(entry.senderId, 24);
  scratch.writeDoubleLE(entry.deviceId, 32);
  scratch.writeInt32LE(entry.idHigh, 40);
  scratch.writeUInt32LE(entry.idLow, 44);
  scratch.writeDoubleLE(entry.time, 48);
  scratch.writeDoubleLE(entry.kind, 56);
  scratch.set(content, FIELDS_BYTES);
  return crc32(scratch.subarray(0, bytes));
}

/**
 * Defines the SQL function entry_checksum, whose parameters are the columns of the table entries but `checksum`, in their
 * order.
 */
export function defineChecksum(database: Database): void {
  database.define(
    "entry_checksum",
    (position, conversationId, seq, senderId, deviceId, clientMessageId, time, kind, content) =>
      checksumOf({
        position: Number(position),
        conversationId: Number(conversationId),
        seq: Number(seq),
        senderId: Number(senderId),
        deviceId: Number(deviceId),
        ...halvesOf(clientMessageId as bigint),
        time: Number(time),
        kind: Number(kind),
        content: content as Uint8Array,
      }),
  );
}

/** An entry as its row has it. */
export interface EntryColumns extends CheckedEntry, Record<string, unknown> {
  readonly checksum: number;
}

/** The columns of the table entries that EntryColumns has. */
export const entryColumns = `position, conversation_id AS conversationId, seq, sender_id AS senderId,
  device_id AS deviceId, client_message_id >> 32 AS idHigh, client_message_id & 0xffffffff AS idLow, time, kind,
  checksum, content`;

/** What is wrong with the entry, for the operator; undefined if its checksum is right. */
export function damageOf(entry: EntryColumns): string | undefined {
  if (checksumOf(entry) === entry.checksum) return undefined;
  return `entry ${entry.seq} of conversation ${entry.conversationId} has another checksum than when it was stored`;
}
