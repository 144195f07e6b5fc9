// Checks of blocks: which sends are refused, what stays hidden, and that the blocker is offline for the blocked user.

import { marker, send, text, toConversation, toUser } from "../client/commands.ts";
import { equal } from "../client/expect.ts";
import { entriesFrom, namedBy } from "../client/named.ts";
import { presenceOf, seenOffline, seenOnline } from "../client/presence-events.ts";
import { isRefused, refused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

const reason = "BLOCKED_BY_RECIPIENT";

export const blockChecks: readonly Check[] = [
  {
    name: "block.send",
    says: "a send to a user who blocks the sender is refused and not stored; sends by the blocker and by others are accepted",
    contract: "reason.proto: REASON_BLOCKED_BY_RECIPIENT",
    run: async ({ ann, ben, cat }) => {
      const id = ann.nextId();
      const first = await ann.send(ben, "before", id);
      const { conversationId, seq } = first;
      const stream = await ann.connect();
      await ben.block(ann);
      await refused("a send by name", ann.send(ben, "now"), reason);
      await refused("a send by conversation", ann.sendTo(toConversation(conversationId), "now"), reason);
      const [second, third] = [ann.nextId(), ann.nextId()];
      stream.write(send(second, toUser(ben.username), text("now")));
      isRefused("a send on a stream", await stream.next("refused"), reason, { clientMessageId: second });
      stream.write(send(third, toConversation(conversationId), text("now")));
      isRefused("a send on a stream by conversation", await stream.next("refused"), reason, {
        clientMessageId: third,
        conversationId,
      });
      equal("a repeat of what was stored before", await ann.send(ben, "before", id), {
        ...first,
        repeatedSend: true,
      });
      equal("the seq of the blocker's own message", (await ben.send(ann, "go away")).seq, seq + 1n);
      await cat.send(ben, "from a third user");
      await ben.unblock(ann);
      await ann.send(ben, "after");
      const expected = entriesFrom(seq, ["before", "go away", "after"]);
      equal("the log", await ann.log(conversationId, seq), expected);
    },
  },
  {
    name: "block.hides",
    says: "entries that were undelivered at the start of a block stay Omitted for the blocker, and visible to their author",
    contract: "docs/protocol.md: Blocks",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "delivered");
      await ben.setMarkers(marker(conversationId, seq));
      await ann.send(ben, "not delivered");
      await ben.block(ann);
      const hidden = [`${seq} delivered`, `omitted ${seq + 1n}-${seq + 1n}`];
      equal("the blocker's history during the block", await ben.log(conversationId, seq), hidden);
      await ben.unblock(ann);
      await ann.send(ben, "after");
      const later = [...hidden, `${seq + 2n} after`];
      equal("the blocker's history after the block", await ben.log(conversationId, seq), later);
      const stream = await ben.connect({ cursors: [{ conversationId, seq: seq - 1n }] });
      equal("the blocker's backlog after the block", namedBy(stream.events, conversationId), later);
      const all = entriesFrom(seq, ["delivered", "not delivered", "after"]);
      equal("the author's history", await ann.log(conversationId, seq), all);
      const { undelivered } = await ann.conversation(conversationId);
      const [newest] = undelivered.slice(-1);
      equal("Conversation.undelivered for the author", newest, { fromSeq: seq + 1n, toSeq: seq + 1n });
    },
  },
  {
    name: "block.broadcasts",
    says: "a broadcast of a blocked user stays Omitted for the blocker; its Ack is withheld, and names no user",
    contract: "event.proto: Ack.withheld",
    run: async ({ ann, ben, cat, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      const [bens, cats] = [await ben.connect(), await cat.connect()];
      equal("Ack.withheld before the block", (await ann.broadcast("before")).withheld, false);
      await ben.block(ann);
      const { seq, withheld } = await ann.broadcast("during");
      equal("Ack.withheld during the block", withheld, true);
      equal("Ack.withheld of the blocker's broadcast", (await ben.broadcast("mine")).withheld, false);
      await ben.unblock(ann);
      await ann.broadcast("after");
      const of = (stream: typeof bens) =>
        namedBy(stream.events, conversationId).filter((one) => / (?:during|after)$|^omitted/.test(one));
      for (const [who, stream, expected] of [
        ["the blocker", bens, [`omitted ${seq}-${seq}`, `${seq + 2n} after`]],
        ["a third user", cats, [`${seq} during`, `${seq + 2n} after`]],
      ] as const) {
        await stream.until(`the items that ${who} received`, () =>
          of(stream).some((one) => one.endsWith(" after")),
        );
        equal(`the items that ${who} received`, of(stream).slice(-2), expected);
      }
      const history = await ben.log(conversationId, seq, seq);
      equal("the blocker's history after the block", history, [`omitted ${seq}-${seq}`]);
    },
  },
  {
    name: "block.presence",
    says: "a blocked user does not see the blocker's presence; the blocker still sees the blocked user's",
    contract: "event.proto: PresenceChanged",
    run: async ({ ann, ben, cat, logIn }) => {
      await ben.block(ann);
      await ben.logOut();
      const [anns, cats] = [await ann.connect(), await cat.connect()];
      const back = await logIn("ben");
      await back.connect();
      await seenOnline(cats, ben.username);
      equal("whether ListUsers has the blocker", (await ann.onlineUsers()).includes(ben.username), false);
      equal(
        "whether ListUsers of the last hour has the blocker",
        (await ann.onlineUsers(3_600n)).includes(ben.username),
        false,
      );
      const { online } = await ann.open().next("welcome");
      equal(
        "whether Welcome has the blocker",
        online.some((one) => one.username === ben.username),
        false,
      );
      equal(
        "whether the blocker sees the blocked user",
        (await back.onlineUsers()).includes(ann.username),
        true,
      );
      await back.logOut();
      await seenOffline(cats, ben.username);
      // This event does arrive, and an event of the blocker would arrive before it.
      await cat.logOut();
      await seenOffline(anns, cat.username);
      equal("the presence of the blocker", presenceOf(anns, ben.username), []);
      await (await logIn("ben")).unblock(ann);
    },
  },
  {
    name: "block.typing-and-markers",
    says: "during a block, neither user receives the other's typing or markers",
    contract: "docs/protocol.md: Blocks",
    run: async ({ ann, ben }) => {
      const { conversationId } = await ann.send(ben, "one");
      const { seq } = await ben.send(ann, "two");
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      await ben.block(ann);
      await ann.setTyping(toUser(ben.username));
      await ben.setTyping(toUser(ann.username));
      await ann.setMarkers(marker(conversationId, seq, seq));
      await ben.send(ann, "three");
      await ann.setMarkers(marker(conversationId, seq + 1n));
      await anns.next("markersMoved", (one) => one.deliveredSeq === seq + 1n, "the user's own marker");
      const early = bens.all("markersMoved").filter((one) => one.readSeq === seq);
      equal("MarkersMoved during the block", early, []);
      await ben.unblock(ann);
      await ben.setTyping(toUser(ann.username), false);
      await anns.next("typingChanged", ({ typing }) => !typing, "typing after the block");
      await ann.setTyping(toUser(ben.username), false);
      await bens.next("typingChanged", ({ typing }) => !typing, "typing after the block");
      const typed = [...anns.all("typingChanged"), ...bens.all("typingChanged")];
      equal(
        "the typing that was received",
        typed.map(({ typing }) => typing),
        [false, false],
      );
      const isMarked = () => bens.all("markersMoved").some((one) => one.readSeq === seq);
      await bens.until("MarkersMoved after the block", isMarked);
    },
  },
  {
    name: "block.refusals",
    says: "blocking oneself, an unknown user or a blocked user, and unblocking a user who is not blocked, is refused; each user lists only own blocks",
    contract: "block_service.proto: BlockUserRequest.username",
    run: async ({ ann, ben, cat }) => {
      await ann.block(ben);
      const unknown = { ...ben, username: "nobody at all" } as typeof ben;
      await refused("a second block", ann.block(ben), "ALREADY_BLOCKED");
      await refused("a block of oneself", ann.block(ann), "RECIPIENT_IS_SELF");
      await refused("a block of an unknown user", ann.block(unknown), "USER_NOT_FOUND");
      await refused("an unblock of a user who is not blocked", ann.unblock(cat), "NOT_BLOCKED");
      await refused("an unblock by the blocked user", ben.unblock(ann), "NOT_BLOCKED");
      equal("ListBlocks of the blocker", (await ann.blocks()).includes(ben.username), true);
      equal("ListBlocks of the blocked user", (await ben.blocks()).includes(ann.username), false);
      await ann.unblock(ben);
      equal("ListBlocks after the unblock", (await ann.blocks()).includes(ben.username), false);
    },
  },
  {
    name: "block.silent",
    says: "to the blocked user, the blocker goes offline with the block and is online again after it; no other event names it",
    contract: "event.proto: PresenceChanged",
    run: async ({ ann, ben }) => {
      await ben.connect();
      const stream = await ann.connect();
      const before = stream.events.length;
      await ben.block(ann);
      await seenOffline(stream, ben.username);
      await ben.unblock(ann);
      await seenOnline(stream, ben.username);
      await ben.send(ann, "nothing happened");
      await stream.next("entryAppended");
      const since = stream.events.slice(before).flatMap(({ kind }) => kind?.$case ?? []);
      const others = since.filter((one) => one !== "presenceChanged" && one !== "markersMoved");
      equal("the events since the block", others, ["entryAppended"]);
    },
  },
];
