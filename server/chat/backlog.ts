// Sends entries from the store to a reader that missed them, either before its stream opened or by reading too slowly.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { ConversationRow, LogStore, UserRow } from "../store/store.ts";
import type { ConversationLog, LogPage } from "./conversation-log.ts";
import { encodeEntryAppended, encodeEvent, encodeOmitted } from "./encoding.ts";
import { encodeMarkersMoved } from "./markers.ts";

/** The stream to which a backlog is sent; a Feed implements it. */
export interface BacklogReader {
  /** Sends the pieces as fast as the reader takes them. Returns false if the stream has ended. */
  send(pieces: Iterable<Uint8Array>): Promise<boolean>;
  /** Called when all entries of the conversation up to this seq have been sent. */
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
   * Checks that each cursor names a conversation of the user and a seq that is not above its head.
   * @throws Refusal CONVERSATION_NOT_FOUND, CURSOR_BEYOND_HEAD, with the path of the field in Hello
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
      if (seq > head) {
        const facts = { head_seq: head };
        throw new Refusal(Reason.CURSOR_BEYOND_HEAD, { field: `${field}.seq`, facts });
      }
    }
  }

  /**
   * Sends, for every conversation of the user, the entries above its cursor, or only the newest ones if it has no
   * cursor. Returns false if the stream has ended.
   */
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

  /**
   * Sends the range from … to of one conversation; a long range is sent as a Gap and its newest entries. Returns false
   * if the stream has ended.
   */
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
      const most = { entries: limits.backlogPage, bytes: limits.backlogPageBytes };
      const page = await this.#log.page(this.#user.userId, row, from, to, most);
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
