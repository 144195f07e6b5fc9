// The logs of a fake server: the entries of each conversation, and the lists that the chat asks for.

import type { EntryArrived } from "../../../client/link/model/events.ts";
import type { ConversationTarget } from "../../../client/link/model/target.ts";
import type { MessageRange } from "../../../client/link/server/account.ts";
import type { Conversation, SeqRange } from "../../../gen/parley/chat/v1/conversation.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { ListMessagesResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";

const BROADCAST = "everyone-id";
/** The user whose chat it is. */
const ME = "luke";

interface Log {
  readonly id: string;
  readonly peer: string | undefined;
  readonly entries: Entry[];
  readSeq: bigint;
  deliveredSeq: bigint;
}

export function user(username: string): User {
  return { userId: `id-${username}`, username };
}

const noTimes = { deliveredTime: undefined, readTime: undefined };

export class FixtureLogs {
  /** Own entries that the peer never receives, by user name. */
  readonly undelivered = new Map<string, SeqRange[]>();
  readonly #logs = new Map<string, Log>();

  /** The log with a user, or of the broadcast conversation. */
  of(peer: string | undefined): Log {
    const id = this.idOf(peer);
    const known = this.#logs.get(id);
    if (known !== undefined) return known;
    const log: Log = { id, peer, entries: [], readSeq: 0n, deliveredSeq: 0n };
    this.#logs.set(id, log);
    return log;
  }

  idOf(peer: string | undefined): string {
    return peer === undefined ? BROADCAST : `with-${peer}`;
  }

  /** Adds an entry, and returns it as the link hands it out. */
  entry(from: string, text: string, options: Partial<EntryArrived> & { to?: string }): EntryArrived {
    const mine = from === ME;
    const peer = options.kind === "broadcast" ? undefined : mine ? (options.to ?? "yoda") : from;
    const log = this.of(peer);
    const seq = BigInt(log.entries.length + 1);
    const { sendTime } = options;
    const entry: Entry = {
      conversationId: log.id,
      seq,
      kind: peer === undefined ? ConversationKind.BROADCAST : ConversationKind.DIRECT,
      sender: user(from),
      recipient: peer === undefined ? undefined : user(mine ? peer : ME),
      sendTime,
      content: { kind: { $case: "text", value: text } },
    };
    log.entries.push(entry);
    return {
      type: "entry",
      conversationId: log.id,
      seq,
      kind: peer === undefined ? "broadcast" : "direct",
      sender: user(from),
      peer: peer === undefined ? undefined : user(peer),
      sendTime,
      content: { kind: "text", text },
      mine,
      clientMessageId: options.clientMessageId,
      live: options.live ?? true,
      entry,
      raw: { kind: undefined },
    };
  }

  conversations(): Conversation[] {
    return [...this.#logs.values()].map(({ id, peer, entries, readSeq, deliveredSeq }) => ({
      conversationId: id,
      kind: peer === undefined ? ConversationKind.BROADCAST : ConversationKind.DIRECT,
      peer: peer === undefined ? undefined : user(peer),
      headSeq: BigInt(entries.length),
      marker: { conversationId: id, deliveredSeq, readSeq, ...noTimes },
      peerMarker: { conversationId: id, deliveredSeq: BigInt(entries.length), readSeq: 0n, ...noTimes },
      undelivered: this.undelivered.get(peer ?? "") ?? [],
    }));
  }

  /** A range of a log: its newest page, or all of it in one page. */
  *pages(target: ConversationTarget, range: MessageRange): Generator<ListMessagesResponse> {
    const id = target.kind === "user" ? this.idOf(target.username) : target.conversationId;
    const all = this.#logs.get(id)?.entries ?? [];
    const { fromSeq = 0n, toSeq } = range;
    const wanted = all.filter(({ seq }) => seq >= fromSeq && (toSeq === undefined || seq <= toSeq));
    const page = range.newestFirst === true ? wanted.slice(-(range.pageSize ?? 100)) : wanted;
    yield {
      items: page.map((entry) => ({ item: { $case: "entry" as const, value: entry } })),
      nextPageToken: page.length < wanted.length ? "more" : "",
      conversationId: all.length === 0 ? "" : id,
      headSeq: BigInt(all.length),
    };
  }
}
