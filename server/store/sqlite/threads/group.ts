// Packs a group of writes for the writer's thread, and its results for the main thread, in flat buffers.
import type { NewEntry } from "../../store.ts";
import { type Append, type Appended, notHidden } from "../operations/log/append.ts";
import type { OperationCall } from "../operations/operations.ts";

/** A call that runs before the append with the index `before`. */
export interface PlacedCall extends OperationCall {
  readonly before: number;
}

export interface Group {
  readonly appends: PackedAppends;
  readonly calls: readonly PlacedCall[];
}

export interface PackedAppends {
  /** Per append: conversation or 0, peer or 0, sender, device, time, length and kind of content, client message id. */
  readonly fields: ArrayBuffer;
  /** The contents, end to end. */
  readonly contents: ArrayBuffer;
}

/** Why a single write failed. */
export interface CallFailure {
  readonly message: string;
  /** Whether its part of the data is damaged. */
  readonly isDamaged: boolean;
}

export type CallResult = { ok: true; value: unknown } | ({ ok: false } & CallFailure);

export interface GroupResults {
  /** Per append: index of the status, conversation, seq, time, recipient or 0, index of the error, 1 if withheld. */
  readonly appends: Float64Array<ArrayBuffer>;
  readonly calls: readonly CallResult[];
  /** Why single appends failed; the error field above is an index into this array. */
  readonly errors: readonly string[];
  /**
   * By index of the append: the users from whom a broadcast is hidden. A broadcast that is hidden from no user has no
   * element.
   */
  readonly hidden: ReadonlyMap<number, readonly number[]>;
}

/**
 * The number of fields per append. Each takes eight bytes: the client message id as an integer, the others as floating
 * point.
 */
const width = 8;
const idField = 7;

export function packAppends(entries: readonly NewEntry[]): PackedAppends {
  const fields = new ArrayBuffer(entries.length * width * 8);
  const numbers = new Float64Array(fields);
  const ids = new BigUint64Array(fields);
  let bytes = 0;
  for (const entry of entries) bytes += entry.content.length;
  const contents = new Uint8Array(bytes);
  let at = 0;
  let offset = 0;
  for (const { target, senderId, deviceId, time, content, kind, clientMessageId } of entries) {
    if ("peerId" in target) numbers[at + 1] = target.peerId;
    else numbers[at] = target.conversationId;
    numbers[at + 2] = senderId;
    numbers[at + 3] = deviceId;
    numbers[at + 4] = time;
    numbers[at + 5] = content.length;
    numbers[at + 6] = kind;
    ids[at + idField] = clientMessageId;
    contents.set(content, offset);
    offset += content.length;
    at += width;
  }
  return { fields, contents: contents.buffer };
}

export function* unpackAppends(packed: PackedAppends): Generator<Append> {
  const numbers = new Float64Array(packed.fields);
  const ids = new BigInt64Array(packed.fields);
  const contents = new Uint8Array(packed.contents);
  let offset = 0;
  for (let at = 0; at < numbers.length; at += width) {
    const end = offset + (numbers[at + 5] ?? 0);
    yield {
      conversationId: numbers[at] ?? 0,
      peerId: numbers[at + 1] ?? 0,
      senderId: numbers[at + 2] ?? 0,
      deviceId: numbers[at + 3] ?? 0,
      clientMessageId: ids[at + idField] ?? 0n,
      time: numbers[at + 4] ?? 0,
      kind: numbers[at + 6] ?? 0,
      content: contents.subarray(offset, end),
    };
    offset = end;
  }
}

export function countAppends(packed: PackedAppends): number {
  return packed.fields.byteLength / (width * 8);
}

const statuses = [
  "stored",
  "repeated",
  "id-reused",
  "no-user",
  "no-conversation",
  "blocked",
  "failed",
  "damaged",
] as const;
const resultWidth = 7;

/** Writes the outcomes of a group's appends, one after another. */
export class ResultWriter {
  readonly appends: Float64Array<ArrayBuffer>;
  readonly errors: string[] = [];
  readonly hidden = new Map<number, readonly number[]>();
  #at = 0;

  constructor(count: number) {
    this.appends = new Float64Array(count * resultWidth);
  }

  add(senderId: number, appended: Appended): void {
    const { appends } = this;
    const at = this.#at;
    appends[at] = statuses.indexOf(appended.status);
    if ("seq" in appended) {
      const { conversation } = appended;
      appends[at + 1] = conversation.conversationId;
      appends[at + 2] = appended.seq;
      appends[at + 3] = appended.time;
      appends[at + 4] = conversation.low === senderId ? conversation.high : conversation.low;
      appends[at + 6] = appended.withheld ? 1 : 0;
      if (appended.hiddenFrom.length > 0) this.hidden.set(at / resultWidth, appended.hiddenFrom);
    }
    this.#at = at + resultWidth;
  }

  addFailure({ message, isDamaged }: CallFailure): void {
    this.appends[this.#at] = statuses.indexOf(isDamaged ? "damaged" : "failed");
    this.appends[this.#at + 5] = this.errors.push(message) - 1;
    this.#at += resultWidth;
  }
}

/** The outcome of the append with this index. */
export function resultAt(results: GroupResults, index: number) {
  const at = index * resultWidth;
  const { appends } = results;
  return {
    status: statuses[appends[at] ?? 0] ?? "failed",
    conversationId: appends[at + 1] ?? 0,
    seq: appends[at + 2] ?? 0,
    time: appends[at + 3] ?? 0,
    /** The other user of a direct conversation; 0 in the broadcast one. */
    recipientId: appends[at + 4] ?? 0,
    error: results.errors[appends[at + 5] ?? 0],
    withheld: appends[at + 6] === 1,
    hiddenFrom: results.hidden.get(index) ?? notHidden.hiddenFrom,
  };
}
