// Checks of the Ack, and of the order of entries, which is the same for every reader and has no gap.
import { ConnectRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { broadcast, send, text, toUser } from "../client/commands.ts";
import { equal, isTrue } from "../client/expect.ts";
import { entriesFrom, namedBy, range, seqsOf } from "../client/named.ts";
import type { Check } from "./check.ts";

export const orderChecks: readonly Check[] = [
  {
    name: "ack.means-stored",
    says: "an acked message is immediately in ListMessages, and in the backlog of a new stream",
    contract: "event.proto: Ack",
    run: async ({ ann, ben }) => {
      const stream = await ann.connect();
      for (const value of ["one", "two", "three"]) {
        const { conversationId, seq } = await stream.acked(ann.sendOn(stream, ben, [value])[0] ?? 0n);
        const expected = entriesFrom(seq, [value]);
        equal("ListMessages right after an Ack", await ben.log(conversationId, seq), expected);
        const opened = await ben.connect({ cursors: [{ conversationId, seq: seq - 1n }] });
        equal("the backlog right after an Ack", namedBy(opened.events, conversationId), expected);
        ben.closeStreams();
      }
      const called = await ann.send(ben, "by a call");
      const listed = await ben.log(called.conversationId, called.seq);
      equal(
        "ListMessages right after the answer of SendMessage",
        listed,
        entriesFrom(called.seq, ["by a call"]),
      );
    },
  },
  {
    name: "ack.in-place",
    says: "in the sender's stream, the Ack takes the position of the entry, which is not sent; other streams receive the entry",
    contract: "docs/protocol.md: Sending",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const cursors = [{ conversationId, seq }];
      const [sending, other] = [await ann.connect({ cursors }), await ann.connect({ cursors })];
      const bens = await ben.connect({ cursors });
      for (let round = 0; round < 20; round++) {
        ann.sendOn(sending, ben, [`ann ${round}`]);
        ben.sendOn(bens, ann, [`ben ${round}`]);
      }
      const last = seq + 40n;
      for (const [who, stream] of [
        ["the sender's stream", sending],
        ["another stream of the sender", other],
        ["the recipient's stream", bens],
      ] as const) {
        const named = () => namedBy(stream.events, conversationId);
        await stream.until(`${who}: 40 entries and acks`, () => seqsOf(named()).length >= 40);
        equal(`${who}: every seq once, in order`, seqsOf(named()), range(seq + 1n, last));
      }
      const acks = namedBy(sending.events, conversationId).filter((one) => one.endsWith(" ack"));
      equal("acks in the sender's stream", acks.length, 20);
      equal("acks in another stream of the sender", other.all("ack"), []);
    },
  },
  {
    name: "order.of-commands",
    says: "commands keep their order, in one frame or in many: acks and entries have the order of the sends",
    contract: "docs/protocol.md: Sending",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const reading = await ben.connect({ cursors: [{ conversationId, seq }] });
      const stream = await ann.connect();
      const texts = Array.from({ length: 60 }, (_, index) => `number ${index}`);
      const ids = texts.map(() => ann.nextId());
      const commands = texts.map((value, index) => send(ids[index] ?? 0n, toUser(ben.username), text(value)));
      stream.write(...commands.slice(0, 25));
      for (const command of commands.slice(25, 35)) stream.write(command);
      stream.write(...commands.slice(35));
      for (const id of ids) await stream.acked(id);
      const acks = stream.all("ack");
      equal(
        "the ids of the acks",
        acks.map((ack) => ack.clientMessageId),
        ids,
      );
      equal(
        "the seqs of the acks",
        acks.map((ack) => ack.seq),
        range(seq + 1n, seq + 60n),
      );
      const named = () => namedBy(reading.events, conversationId);
      await reading.until("sixty entries", () => named().length >= 60);
      equal("the items that the recipient received", named(), entriesFrom(seq + 1n, texts));
      equal("the log", await ben.log(conversationId, seq + 1n), entriesFrom(seq + 1n, texts));
    },
  },
  {
    name: "order.one-piece",
    says: "messages that arrive in one HTTP/2 DATA frame are all read, in order",
    contract: "chat_service.proto: ChatService.Connect",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const reading = await ben.connect({ cursors: [{ conversationId, seq }] });
      const stream = await ann.connectInPieces();
      const texts = Array.from({ length: 40 }, (_, index) => `number ${index}`);
      const frames = texts.map((value) =>
        ConnectRequest.encode({ commands: [send(ann.nextId(), toUser(ben.username), text(value))] }).finish(),
      );
      stream.write(frames);
      const named = () => namedBy(reading.events, conversationId);
      await reading.until("forty messages in one DATA frame", () => named().length >= 40, "forty entries");
      equal("the items that the recipient received", named(), entriesFrom(seq + 1n, texts));
    },
  },
  {
    name: "order.same-for-all",
    says: "concurrent broadcasts of several users have the same order for every reader and in the history, without a gap",
    contract: "entry.proto: Entry.seq",
    run: async ({ ann, ben, cat, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      const users = [ann, ben, cat];
      const streams = await Promise.all(users.map((one) => one.connect()));
      const { seq } = await ann.broadcast("before");
      for (let round = 0; round < 15; round++) {
        for (const [index, one] of users.entries()) {
          streams[index]?.write(broadcast(one.nextId(), text(`${one.username} ${round}`)));
        }
      }
      const log = await whenLong(() => ann.log(conversationId, seq + 1n), 45);
      isTrue("the history once all are acked", log.length >= 45, "45 broadcasts", log.length);
      for (const [index, stream] of streams.entries()) {
        const name = `the stream of user ${index + 1}`;
        const own = users[index]?.username ?? "";
        const expected = log.map((one) => (one.includes(` ${own} `) ? `${one.split(" ", 1)[0]} ack` : one));
        const named = () =>
          namedBy(stream.events, conversationId).filter((one) => (seqsOf([one])[0] ?? 0n) > seq);
        await stream.until(`${name}: 45 broadcasts`, () => named().length >= log.length);
        equal(`${name}, compared with the history`, named().slice(0, log.length), expected);
        const said = log.filter((one) => one.includes(` ${own} `)).map((one) => one.split(" ").at(-1));
        equal(
          `the order of what user ${index + 1} said`,
          said,
          said.map((_, round) => String(round)),
        );
      }
      equal("the seqs of the history", seqsOf(log), range(seq + 1n, seq + BigInt(log.length)));

      async function whenLong(list: () => Promise<string[]>, length: number): Promise<string[]> {
        for (const stream of streams) {
          await stream.until("the acks of 15 broadcasts", () => stream.all("ack").length >= length / 3);
        }
        return list();
      }
    },
  },
];
