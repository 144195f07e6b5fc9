// What a reader missed, from the store: on opening every conversation above its cursor, later what a slow reader owes.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { ConversationRow, LogStore, UserRow } from "../store/store.ts";
import type { ConversationLog, LogPage } from "./conversation-log.ts";
import { encodeEntryAppended, encodeEvent, encodeOmitted } from "./encoding.ts";
import { encodeMarkersMoved } from "./markers.ts";

/** Where a backlog goes: a feed, as this file sees it. */
export interface BacklogReader {
  /** False where the reader is gone. */
  send(pieces: Iterable<Uint8Array>): Promise<boolean>;
  sentUpTo(conversationId: number, seq: number): void;
}

const CONVERSATIONS_AT_A_TIME = 200;

export class Backlog {
  readonly #store: LogStore;
  readonly #log: ConversationLog;
  readonly #user: UserRow;
  readonly #wantsMarkers: boolean;

  constructor(store: LogStore, log: ConversationLog, user: UserRow, wantsMarkers: boolean) {
    this.#store = store;
    this.#log = log;
    this.#user = user;
    this.#wantsMarkers = wantsMarkers;
  }

  /**
   * Makes sure that the cursors are ones that this log can have given.
   * @throws Refusal CONVERSATION_NOT_FOUND, CURSOR_BEYOND_HEAD, with the place in Hello
   */
  async check(cursors: ReadonlyMap<number, number>): Promise<void> {
    if (cursors.size === 0) return;
    const heads = await this.#store.heads(this.#user.userId, [...cursors.keys()]);
    for (const [index, seq] of [...cursors.values()].entries()) {
      const head = heads[index];
      const field = `hello.cursors[${index}]`;
      if (head === undefined) {
        throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: `${field}.conversation_id` });
      }
      if (seq > head) throw new Refusal(Reason.CURSOR_BEYOND_HEAD, { field: `${field}.seq` });
    }
  }

  /** Answers every conversation whose head is above its cursor, named or not. False where the reader is gone. */
  async send(reader: BacklogReader, cursors: ReadonlyMap<number, number>): Promise<boolean> {
    for (let after = 0; ; ) {
      const rows = await this.#store.conversations(this.#user.userId, after, CONVERSATIONS_AT_A_TIME);
      for (const row of rows) {
        if (!(await this.#sendConversation(reader, row, cursors.get(row.conversationId)))) return false;
        after = row.conversationId;
      }
      if (rows.length < CONVERSATIONS_AT_A_TIME) return true;
    }
  }

  /** Sends from … to of one conversation, the newest of it where it is long. False where the reader is gone. */
  async sendRange(reader: BacklogReader, conversationId: number, from: number, to: number): Promise<boolean> {
    const row = await this.#store.conversation(this.#user.userId, conversationId);
    return row === undefined || (await this.#sendEntries(reader, row, from, to));
  }

  async #sendConversation(
    reader: BacklogReader,
    row: ConversationRow,
    cursor: number | undefined,
  ): Promise<boolean> {
    const from = cursor === undefined ? Math.max(1, row.headSeq - limits.backlogUnnamed + 1) : cursor + 1;
    const isBehind = from <= row.headSeq;
    if (this.#wantsMarkers && (isBehind || cursor !== undefined)) {
      if (!(await reader.send(this.#markers(row)))) return false;
    }
    return !isBehind || (await this.#sendEntries(reader, row, from, row.headSeq));
  }

  async #sendEntries(
    reader: BacklogReader,
    row: ConversationRow,
    first: number,
    to: number,
  ): Promise<boolean> {
    let from = first;
    if (to - from + 1 > limits.backlogPerConversation) {
      const start = to - limits.backlogPerConversation + 1;
      if (!(await reader.send([encodeGap(row.conversationId, from, start - 1, GapKind.FILLABLE)])))
        return false;
      from = start;
    }
    while (from <= to) {
      const page = await this.#log.page(this.#user.userId, row, from, to, limits.backlogPage);
      if (!(await reader.send(piecesOf(row.conversationId, page)))) return false;
      from = page.to + 1;
    }
    reader.sentUpTo(row.conversationId, to);
    return true;
  }

  *#markers(row: ConversationRow): Iterable<Uint8Array> {
    yield encodeMarkersMoved(row.conversationId, this.#user, row.markers);
    if (row.peer !== undefined && row.peerMarkers !== undefined) {
      yield encodeMarkersMoved(row.conversationId, row.peer, row.peerMarkers, row.undelivered);
    }
  }
}

function* piecesOf(conversationId: number, page: LogPage): Iterable<Uint8Array> {
  for (const item of page.items) {
    switch (item.kind) {
      case "entry":
        yield encodeEntryAppended(item.entry, page.usersOf(item.entry));
        break;
      case "omitted":
        yield encodeOmitted(conversationId, item.from, item.to);
        break;
      case "gone":
        yield encodeGap(conversationId, item.from, item.to, GapKind.GONE);
        break;
    }
  }
}

function encodeGap(conversationId: number, from: number, to: number, kind: GapKind): Uint8Array {
  return encodeEvent({
    kind: {
      $case: "gap",
      value: {
        conversationId: formatId("conversation", conversationId),
        fromSeq: BigInt(from),
        toSeq: BigInt(to),
        kind,
      },
    },
  });
}
