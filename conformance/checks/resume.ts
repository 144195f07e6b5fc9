// Checks of resume: what a reader missed, by its cursors, each seq once; and what it may not see, by name.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { toConversation } from "../client/commands.ts";
import { equal } from "../client/expect.ts";
import { entriesFrom, namedBy, namedByHistory, range, seqsOf } from "../client/named.ts";
import { goes } from "../client/presence-seen.ts";
import { endedBy } from "../client/reasons.ts";
import type { Session } from "../client/session.ts";
import type { Check } from "./check.ts";

/** More than a backlog names one by one. */
const MANY = 505;
const PUSHED = 500n;
const UNNAMED = 50n;

export const resumeChecks: readonly Check[] = [
  {
    name: "resume.cursor",
    says: "a stream begins after its cursors: what is above comes once, in order, and nothing else of that log",
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
    says: "a conversation that Hello does not name starts at its last 50 entries",
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
    says: "of more than 500 missing the newest 500 come after a fillable Gap, which ListMessages fills",
    contract: "entry.proto: Gap",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await atLeast(ann, ben, MANY + 10);
      const held = seq - BigInt(MANY);
      const stream = await ben.connect({ cursors: [{ conversationId, seq: held }] });
      const named = namedBy(stream.events, conversationId);
      equal("the first that is named", named[0], `gap ${held + 1n}-${seq - PUSHED}`);
      equal("Gap.kind", stream.all("gap")[0]?.kind, GapKind.FILLABLE);
      equal("every seq above the cursor, once", seqsOf(named), range(held + 1n, seq));
      const filled = await ben.log(conversationId, held + 1n, seq - PUSHED);
      equal("what ListMessages has for the gap", seqsOf(filled), range(held + 1n, seq - PUSHED));
    },
  },
  {
    name: "resume.broken-off",
    says: "a reader that loses its stream again and again, while messages flow, is given each once",
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
      equal("what the reader holds in the end", got, entriesFrom(seq + 1n, texts));
    },
  },
  {
    name: "resume.refused-cursors",
    says: "a cursor that this log cannot have given, or given to this user, is refused, and says which it is",
    contract: "chat_service.proto: Cursor.conversation_id",
    run: async ({ ann, ben, cat }) => {
      const { conversationId, seq } = await ann.send(ben, "hello");
      const beyond = { delay: false, field: "hello.cursors[0].seq" };
      const notFound = { delay: false, field: "hello.cursors[0].conversation_id" };
      const cases = [
        ["a cursor beyond the head", ann, { conversationId, seq: seq + 1n }, "CURSOR_BEYOND_HEAD", beyond],
        ["the highest cursor", ann, { conversationId, seq: 2n ** 64n - 1n }, "CURSOR_BEYOND_HEAD", beyond],
        ["another's conversation", cat, { conversationId, seq: 0n }, "CONVERSATION_NOT_FOUND", notFound],
        ["no conversation", ann, { conversationId: "none", seq: 0n }, "CONVERSATION_NOT_FOUND", notFound],
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
    says: "a broadcast that a user was away for is named as Omitted, in the backlog and in the history, and no more is said",
    contract: "docs/protocol.md: Who sees a broadcast",
    run: async ({ ann, cat, logIn, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      const watching = await ann.connect();
      const here = await cat.connect();
      const seen = await ann.broadcast("cat is here");
      await here.next("entryAppended", ({ entry }) => entry?.seq === seen.seq);
      await cat.logOut();
      await goes(watching, cat.username);
      const missed = await ann.broadcast("cat is away");
      const back = await logIn("cat");
      const stream = await back.connect({ cursors: [{ conversationId, seq: seen.seq }] });
      const omitted = range(seen.seq + 1n, missed.seq);
      const named = namedBy(stream.events, conversationId);
      equal("the seqs in the backlog", seqsOf(named), omitted);
      equal(
        "what is said of them",
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

/** Has at least so many messages in the conversation of two users. */
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
