// Checks of a restart after the server was killed without a warning: no acked message is lost, and sessions continue.

import { marker } from "../client/commands.ts";
import { equal, isTrue } from "../client/expect.ts";
import { entriesFrom, namedBy } from "../client/named.ts";
import { refused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

const MESSAGES = 300;
/** The number of acks after which the server is killed. */
const ACKED = 40;

export const restartChecks: readonly Check[] = [
  {
    name: "restart.nothing-lost",
    says: "messages that were acked before a kill are in the log once, and a retry of the others stores each once",
    contract: "docs/protocol.md: Sending once",
    run: async ({ ann, ben, restart }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const stream = await ann.connect();
      const texts = Array.from({ length: MESSAGES }, (_, index) => `number ${index}`);
      const ids = ann.sendOn(stream, ben, texts);
      await stream.until("the first acks", () => stream.all("ack").length >= ACKED);
      await restart();
      const acks = new Map(stream.all("ack").map((ack) => [ack.clientMessageId, ack]));
      const seqs = new Map<string, bigint>();
      for (const [index, id] of ids.entries()) {
        const value = texts[index] ?? "";
        const again = await ann.send(ben, value, id);
        const first = acks.get(id);
        if (first !== undefined) {
          equal(`the answer to the repeat of an acked send (${value})`, again, {
            ...first,
            repeatedSend: true,
          });
        }
        seqs.set(value, again.seq);
      }
      const log = await ben.log(conversationId, seq + 1n);
      const expected = [...seqs].sort(([, a], [, b]) => Number(a - b)).map(([value, at]) => `${at} ${value}`);
      equal("the log", log, expected);
      equal("the length of the log", log.length, MESSAGES);
      isTrue(
        "the newest entry",
        log.at(-1)?.startsWith(`${seq + BigInt(MESSAGES)} `) === true,
        "no gap",
        log.at(-1),
      );
    },
  },
  {
    name: "restart.goes-on",
    says: "tokens, cursors, markers, blocks and hidden entries outlive a kill, and the server id stays the same",
    contract: "docs/protocol.md: Resume",
    run: async ({ ann, ben, cat, restart, welcome }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      await ben.setMarkers(marker(conversationId, seq, seq));
      const id = ann.nextId();
      const unseen = await ann.send(ben, "unseen", id);
      await ben.block(cat);
      await restart();
      await refused(
        "a send to a user who blocked the sender before",
        cat.send(ben, "now"),
        "BLOCKED_BY_RECIPIENT",
      );
      await ben.unblock(cat);
      const stream = await ben.connect({ cursors: [{ conversationId, seq }] });
      equal("Welcome.server_id", stream.all("welcome")[0]?.serverId, welcome.serverId);
      equal("the backlog", namedBy(stream.events, conversationId), entriesFrom(unseen.seq, ["unseen"]));
      const { marker: stored } = await ben.conversation(conversationId);
      equal("the marker", [stored?.deliveredSeq, stored?.readSeq], [seq, seq]);
      equal("a repeat", await ann.send(ben, "unseen", id), { ...unseen, repeatedSend: true });
    },
  },
];
