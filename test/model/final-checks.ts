// The end of every life: all come back and catch up, and then what each holds, what it sent and the history agree.
import { expect } from "vitest";
import type { Conversation } from "../../gen/parley/chat/v1/conversation.ts";
import { type HistoryItem, PageOrder } from "../../gen/parley/chat/v1/history_service.ts";
import { textOf } from "../support/client.ts";
import { beginningOf, type Held } from "./received-log.ts";
import type { Reader } from "./reader.ts";

/** Everyone comes back, gets an ack for all that was sent, and everything there is to read. */
export async function settle(readers: readonly Reader[]): Promise<void> {
  await Promise.all(readers.map((reader) => reader.drop()));
  for (const reader of readers) reader.open("connect");
  for (const reader of readers) {
    await reader.until(() => reader.sends.every(({ place }) => place !== undefined));
  }
  for (const reader of readers) {
    for (const { conversationId, headSeq } of await conversationsOf(reader)) {
      await reader.until(() => (reader.held.cursors.get(conversationId) ?? 0n) >= headSeq);
    }
  }
}

/** What stands in the log at each seq, by conversation and seq; the same for all who see it. */
type Log = Map<string, Held>;

export async function agree(readers: readonly Reader[]): Promise<void> {
  const log: Log = new Map();
  for (const reader of readers) {
    const places = new Map<string, string[]>();
    for (const conversation of await conversationsOf(reader)) {
      const history = await historyOf(reader, conversation);
      expect([...history.keys()]).toEqual(seqsTo(conversation.headSeq));
      for (const [seq, seen] of history) {
        const place = `${conversation.conversationId}/${seq}`;
        const held = reader.held.at(conversation.conversationId, seq);
        expect(isSame(held, seen, reader), `${reader.name} holds ${place} as the history has it`).toBe(true);
        if (seen.kind !== "entry") continue;
        expect(log.get(place) ?? seen, `${place} is the same for ${reader.name}`).toEqual(seen);
        log.set(place, seen);
        if (seen.sender === reader.name) places.set(seen.text, [...(places.get(seen.text) ?? []), place]);
      }
    }
    // Own broadcasts too: whoever was away while sending one sees it all the same.
    for (const { text, place } of reader.sends) {
      expect(places.get(text), `${beginningOf(text)}: stored once, where it was acked`).toEqual([
        `${place?.conversationId}/${place?.seq}`,
      ]);
    }
  }
}

/** Whether the stream told of a seq what the history says; where it told nothing, or of a gap, anything will do. */
function isSame(held: Held | undefined, seen: Held, reader: Reader): boolean {
  switch (held?.kind) {
    case "entry":
      return seen.kind === "entry" && seen.sender === held.sender && seen.text === held.text;
    case "own":
      return seen.kind === "entry" && seen.sender === reader.name && seen.text === held.text;
    case "omitted":
      return seen.kind === "omitted";
    case "gap":
    case undefined:
      return true;
  }
}

async function conversationsOf({ client }: Reader): Promise<Conversation[]> {
  const request = { pageSize: 0, pageToken: "", background: false };
  return (await client.unary(client.history, client.history.listConversations, request)).conversations;
}

/** The whole log of a conversation as the reader may see it: by seq, in the order of the pages. */
async function historyOf({ client }: Reader, { conversationId }: Conversation): Promise<Map<bigint, Held>> {
  const seen = new Map<bigint, Held>();
  for (let pageToken = ""; ; ) {
    const page = await client.unary(client.history, client.history.listMessages, {
      target: { target: { $case: "conversationId", value: conversationId } },
      fromSeq: 0n,
      toSeq: 0n,
      order: PageOrder.OLDEST_FIRST,
      pageSize: 50,
      pageToken,
      background: false,
    });
    for (const item of page.items) note(item);
    pageToken = page.nextPageToken;
    if (pageToken === "") return seen;
  }

  function note({ item }: HistoryItem): void {
    if (item === undefined) throw new Error("a history item without a kind");
    if (item.$case === "entry") {
      const { seq, sender } = item.value;
      expect(seen.has(seq), `${conversationId}/${seq} is in the history twice`).toBe(false);
      seen.set(seq, {
        kind: "entry",
        sender: sender?.username ?? "",
        text: textOf({ entry: item.value }),
      });
      return;
    }
    for (let seq = item.value.fromSeq; seq <= item.value.toSeq; seq++) {
      expect(seen.has(seq), `${conversationId}/${seq} is in the history twice`).toBe(false);
      seen.set(seq, { kind: item.$case });
    }
  }
}

function seqsTo(head: bigint): bigint[] {
  return Array.from({ length: Number(head) }, (_, index) => BigInt(index + 1));
}
