// Checks of resuming: a reader receives each seq above its cursors once, as an entry, in an Omitted, or in a Gap.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { toConversation } from "../client/commands.ts";
import { equal } from "../client/expect.ts";
import { entriesFrom, namedBy, namedByHistory, range, seqsOf } from "../client/named.ts";
import { seenOffline } from "../client/presence-events.ts";
import { endedBy } from "../client/reasons.ts";
import type { Session } from "../client/session.ts";
import type { Check } from "./check.ts";

/** A number of entries that is larger than the longest backlog. */
const MANY = 505;
const PUSHED = 500n;
const UNNAMED = 50n;

export const resumeChecks: readonly Check[] = [
  {
    name: "resume.cursor",
    says: "a stream starts after its cursors: the entries above them arrive once, in order, and no others of that log",
    contract: "chat_service.proto: Cursor.seq",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "0");
      const texts = ["1", "2", "3", "4"];
      for (const value of texts) await ann.send(ben, value);
      for (const held of [0, 1, 3, 4]) {
        const cursors = [{ conversationId, seq: seq + BigInt(held) }];
        const stream = await ben.connect({ cursors });
        const expected = entriesFrom(seq + BigInt(held) + 1n, texts.slice(held));
        equal(`the backlog above ${held} of 4`, namedBy(stream.events, conversationId), expected);
        ben.closeStreams();
      }
    },
  },
  {
    name: "resume.without-cursor",
    says: "a conversation that is not in Hello starts at its last 50 entries",
    contract: "chat_service.proto: Hello.cursors",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await atLeast(ann, ben, 60);
      const stream = await ben.connect();
      const named = seqsOf(namedBy(stream.events, conversationId));
      equal("the seqs in the backlog", named, range(seq - UNNAMED + 1n, seq));
    },
  },
  {
    name: "resume.gap",
    says: "of more than 500 missing entries, the newest 500 arrive after a fillable Gap, and ListMessages has the rest",
    contract: "entry.proto: Gap",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await atLeast(ann, ben, MANY + 10);
      const cursor = seq - BigInt(MANY);
      const stream = await ben.connect({ cursors: [{ conversationId, seq: cursor }] });
      const named = namedBy(stream.events, conversationId);
      equal("the first item", named[0], `gap ${cursor + 1n}-${seq - PUSHED}`);
      equal("Gap.kind", stream.all("gap")[0]?.kind, GapKind.FILLABLE);
      equal("every seq above the cursor, once", seqsOf(named), range(cursor + 1n, seq));
      const filled = await ben.log(conversationId, cursor + 1n, seq - PUSHED);
      equal("what ListMessages has for the gap", seqsOf(filled), range(cursor + 1n, seq - PUSHED));
    },
  },
  {
    name: "resume.broken-off",
    says: "a reader that loses its stream again and again, while messages arrive, receives each message once",
    contract: "docs/protocol.md: Resume",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const sending = await ann.connect();
      const texts = Array.from({ length: 200 }, (_, index) => `number ${index}`);
      ann.sendOn(sending, ben, texts);
      const got: string[] = [];
      for (let take = 1; got.length < texts.length; take = (take * 7) % 31) {
        const stream = ben.open({ cursors: [{ conversationId, seq: seq + BigInt(got.length) }] });
        const wanted = Math.min(take, texts.length - got.length);
        const named = () => namedBy(stream.events, conversationId);
        await stream.until(`${wanted} entries after a resume`, () => named().length >= wanted);
        got.push(...named().slice(0, wanted));
        ben.closeStreams();
      }
      equal("the entries that the reader has in the end", got, entriesFrom(seq + 1n, texts));
    },
  },
  {
    name: "resume.refused-cursors",
    says: "an impossible cursor, or one of a conversation of other users, is refused, and the refusal names it",
    contract: "chat_service.proto: Cursor.conversation_id",
    run: async ({ ann, ben, cat }) => {
      const { conversationId, seq } = await ann.send(ben, "hello");
      const beyond = { delay: false, field: "hello.cursors[0].seq" };
      const notFound = { delay: false, field: "hello.cursors[0].conversation_id" };
      const cases = [
        ["a cursor beyond the head", ann, { conversationId, seq: seq + 1n }, "CURSOR_BEYOND_HEAD", beyond],
        ["the highest cursor", ann, { conversationId, seq: 2n ** 64n - 1n }, "CURSOR_BEYOND_HEAD", beyond],
        [
          "a conversation of other users",
          cat,
          { conversationId, seq: 0n },
          "CONVERSATION_NOT_FOUND",
          notFound,
        ],
        [
          "an unknown conversation",
          ann,
          { conversationId: "none", seq: 0n },
          "CONVERSATION_NOT_FOUND",
          notFound,
        ],
      ] as const;
      for (const [what, who, cursor, reason, details] of cases) {
        await endedBy(what, who.open({ cursors: [cursor] }), reason, details);
      }
      const twice = ann.open({ cursors: [0n, 1n].map((at) => ({ conversationId, seq: at })) });
      await endedBy("a conversation named twice", twice, "INVALID_FIELD");
    },
  },
  {
    name: "resume.omitted",
    says: "a broadcast that a user was offline for is Omitted in the backlog and in the history, without further details",
    contract: "docs/protocol.md: Who sees a broadcast",
    run: async ({ ann, cat, logIn, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      const watching = await ann.connect();
      const cats = await cat.connect();
      const seen = await ann.broadcast("cat is here");
      await cats.next("entryAppended", ({ entry }) => entry?.seq === seen.seq);
      await cat.logOut();
      await seenOffline(watching, cat.username);
      const missed = await ann.broadcast("cat is away");
      const back = await logIn("cat");
      const stream = await back.connect({ cursors: [{ conversationId, seq: seen.seq }] });
      const omitted = range(seen.seq + 1n, missed.seq);
      const named = namedBy(stream.events, conversationId);
      equal("the seqs in the backlog", seqsOf(named), omitted);
      equal(
        "the items that are not Omitted",
        named.filter((one) => !one.startsWith("omitted")),
        [],
      );
      const { items } = await back.listMessages(toConversation(conversationId), { fromSeq: seen.seq });
      const history = namedByHistory(items);
      equal("the first in the history", history[0], `${seen.seq} cat is here`);
      equal(
        "the others in the history",
        history.slice(1).filter((one) => !one.startsWith("omitted")),
        [],
      );
      equal("the seqs in the history", seqsOf(history), range(seen.seq, missed.seq));
    },
  },
];

/** Makes sure that the conversation of two users has at least this many messages. */
export async function atLeast(
  ann: Session,
  ben: Session,
  count: number,
): Promise<{ readonly conversationId: string; readonly seq: bigint }> {
  const before = await ann.head(ben);
  const missing = Math.max(0, count - Number(before.seq));
  if (missing > 0) {
    const stream = await ann.connect();
    const ids = ann.sendOn(
      stream,
      ben,
      Array.from({ length: missing }, (_, index) => `filler ${index}`),
    );
    for (const id of ids) await stream.acked(id);
    ann.closeStreams();
  }
  return ann.head(ben);
}
