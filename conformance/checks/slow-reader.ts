// The check of a reader that is too slow: it is told everything later, or that it has to come back, and misses nothing.

import { equal } from "../client/expect.ts";
import { namedBy, range, seqsOf } from "../client/named.ts";
import { endedBy } from "../client/reasons.ts";
import type { Session } from "../client/session.ts";
import type { Stream } from "../client/stream.ts";
import type { Check } from "./check.ts";

/** More than every buffer between the two holds, and more than a backlog names one by one. */
const MESSAGES = 560;
const BYTES = 8_000;

export const slowReaderChecks: readonly Check[] = [
  {
    name: "slow-reader",
    says: "a reader that stops for a while is caught up from the log, or ended with a delay; every seq is named once",
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
      const told = await readUpTo(cat, reading, conversationId, seq, last);
      equal("every seq, once and in order", told, range(seq + 1n, last));
    },
  },
];

/** Everything that the reader is told, over a further stream where the first one says to come back. */
async function readUpTo(
  reader: Session,
  stream: Stream,
  conversationId: string,
  from: bigint,
  to: bigint,
): Promise<bigint[]> {
  const told = () => seqsOf(namedBy(stream.events, conversationId));
  await stream.until("what the reader missed", () => told().at(-1) === to || stream.isOver);
  if (told().at(-1) === to) return told();
  await endedBy("a reader that was too slow", stream, "SLOW_READER", { delay: true });
  const held = told().at(-1) ?? from;
  const again = await reader.connect({ cursors: [{ conversationId, seq: held }] });
  return [...told(), ...seqsOf(namedBy(again.events, conversationId))];
}
