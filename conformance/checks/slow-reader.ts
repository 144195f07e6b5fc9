// The check of a slow reader: it misses no entry, whether it catches up later or its stream ends with a retry delay.

import { equal } from "../client/expect.ts";
import { namedBy, range, seqsOf } from "../client/named.ts";
import { endedBy } from "../client/reasons.ts";
import type { Session } from "../client/session.ts";
import type { Stream } from "../client/stream.ts";
import type { Check } from "./check.ts";

/** A number of messages that exceeds all buffers between the two users, and the longest backlog. */
const MESSAGES = 560;
const BYTES = 8_000;

export const slowReaderChecks: readonly Check[] = [
  {
    name: "slow-reader",
    says: "a reader that stops for a while catches up from the log, or its stream ends with a delay; it receives every seq once",
    contract: "docs/protocol.md: A slow reader",
    run: async ({ ann, cat, welcome }) => {
      const { conversationId, seq } = await ann.send(cat, "before");
      const reading = await cat.connect({ cursors: [{ conversationId, seq }] });
      const sending = await ann.connect();
      reading.pause();
      const size = Math.min(BYTES, Math.floor((welcome.limits?.maxContentBytes ?? BYTES) / 2));
      const texts = Array.from({ length: MESSAGES }, (_, index) => `${index} `.padEnd(size, "x"));
      for (const id of ann.sendOn(sending, cat, texts)) await sending.acked(id);
      reading.resume();
      const last = seq + BigInt(MESSAGES);
      const seqs = await readUpTo(cat, reading, conversationId, seq, last);
      equal("every seq, once and in order", seqs, range(seq + 1n, last));
    },
  },
];

/** The seqs that the reader receives, including those on a second stream if the first one ends as SLOW_READER. */
async function readUpTo(
  reader: Session,
  stream: Stream,
  conversationId: string,
  from: bigint,
  to: bigint,
): Promise<bigint[]> {
  const received = () => seqsOf(namedBy(stream.events, conversationId));
  await stream.until("the entries that the reader missed", () => received().at(-1) === to || stream.hasEnded);
  if (received().at(-1) === to) return received();
  await endedBy("a reader that was too slow", stream, "SLOW_READER", { delay: true });
  const cursor = received().at(-1) ?? from;
  const again = await reader.connect({ cursors: [{ conversationId, seq: cursor }] });
  return [...received(), ...seqsOf(namedBy(again.events, conversationId))];
}
