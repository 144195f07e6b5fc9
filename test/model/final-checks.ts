// The end of each run: all readers reconnect and catch up; then what they received, what they sent and the history must agree.
import { expect } from "vitest";
import type { Conversation } from "../../gen/parley/chat/v1/conversation.ts";
import { type HistoryItem, PageOrder } from "../../gen/parley/chat/v1/history_service.ts";
import { textOf } from "../support/client.ts";
import type { Reader } from "./reader.ts";
import { beginningOf, type Received } from "./received-log.ts";

/** Reconnects all readers, and waits until each has an ack for every send and has received every entry. */
export async function catchUp(readers: readonly Reader[]): Promise<void> {
  await Promise.all(readers.map((reader) => reader.drop()));
  for (const reader of readers) reader.open("connect");
  for (const reader of readers) {
    await reader.until(() => reader.sends.every(({ place }) => place !== undefined));
  }
  for (const reader of readers) {
    for (const { conversationId, headSeq } of await conversationsOf(reader)) {
      await reader.until(() => (reader.received.cursors.get(conversationId) ?? 0n) >= headSeq);
    }
  }
}

/** The entries of all logs, by conversation and seq. All readers who may see an entry must see the same. */
type Log = Map<string, Received>;

export async function checkAgreement(readers: readonly Reader[]): Promise<void> {
  const log: Log = new Map();
  for (const reader of readers) {
    const places = new Map<string, string[]>();
    for (const conversation of await conversationsOf(reader)) {
      const history = await historyOf(reader, conversation);
      expect([...history.keys()]).toEqual(seqsTo(conversation.headSeq));
      for (const [seq, seen] of history) {
        const place = `${conversation.conversationId}/${seq}`;
        const received = reader.received.at(conversation.conversationId, seq);
        expect(isSame(received, seen, reader), `${reader.name} received ${place} as the history has it`).toBe(
          true,
        );
        if (seen.kind !== "entry") continue;
        expect(log.get(place) ?? seen, `${place} is the same for ${reader.name}`).toEqual(seen);
        log.set(place, seen);
        if (seen.sender === reader.name) places.set(seen.text, [...(places.get(seen.text) ?? []), place]);
      }
    }
    // A reader also sees own broadcasts that it sent while it had no stream.
    for (const { text, place } of reader.sends) {
      expect(places.get(text), `${beginningOf(text)}: stored once, where it was acked`).toEqual([
        `${place?.conversationId}/${place?.seq}`,
      ]);
    }
  }
}

/** Whether the stream sent the same for a seq as the history. After a gap, or without an event, any history is correct. */
function isSame(received: Received | undefined, seen: Received, reader: Reader): boolean {
  switch (received?.kind) {
    case "entry":
      return seen.kind === "entry" && seen.sender === received.sender && seen.text === received.text;
    case "own":
      return seen.kind === "entry" && seen.sender === reader.name && seen.text === received.text;
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

/** The whole log of a conversation as the reader sees it: by seq, in the order of the pages. */
async function historyOf(
  { client }: Reader,
  { conversationId }: Conversation,
): Promise<Map<bigint, Received>> {
  const seen = new Map<bigint, Received>();
  for (let pageToken = ""; ; ) {
    const page = await client.unary(client.history, client.history.listMessages, {
      target: { target: { $case: "conversationId", value: conversationId } },
      fromSeq: 0n,
      toSeq: 0n,
      fromTime: undefined,
      toTime: undefined,
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
