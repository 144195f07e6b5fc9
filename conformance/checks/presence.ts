// Checks of presence and of broadcasts: who is here, and who was here for what was said to all.

import { broadcast, text, toConversation } from "../client/commands.ts";
import { equal, eventually, holds } from "../client/expect.ts";
import { namedBy, namedByHistory, seqsOf } from "../client/named.ts";
import { comes, goes, toldOf } from "../client/presence-seen.ts";
import type { Check } from "./check.ts";

const HOUR = 3_600n;

export const presenceChecks: readonly Check[] = [
  {
    name: "presence.come-and-go",
    says: "who opens a stream is online for all others, and who logs out is not: told, in Welcome, and in ListUsers",
    contract: "event.proto: PresenceChanged",
    run: async ({ ann, ben, cat, logIn, patienceMs }) => {
      await cat.logOut();
      const watching = await ann.connect();
      const isListed = async () => (await ann.whoElse()).includes(cat.username);
      await eventually("whether ListUsers has who is away", patienceMs, isListed, false);
      const session = await logIn("cat");
      equal("whether a log-in alone makes online", await isListed(), false);
      await session.connect();
      await comes(watching, cat.username);
      await eventually("whether ListUsers has who is here", patienceMs, isListed, true);
      const isWelcomed = async () => {
        const { online } = await ben.open().next("welcome");
        ben.closeStreams();
        return online.some(({ username }) => username === cat.username);
      };
      await eventually("whether Welcome has who is here", patienceMs, isWelcomed, true);
      const self = await session.whoElse();
      equal("whether ListUsers has the asking user", self.includes(cat.username), false);
      await session.logOut();
      await goes(watching, cat.username);
      await eventually("whether ListUsers has who has gone", patienceMs, isListed, false);
      const lately = (await ann.whoElse(HOUR)).includes(cat.username);
      equal("whether ListUsers has who was here within the hour", lately, true);
    },
  },
  {
    name: "presence.devices",
    says: "a user with several sessions goes with the last of them",
    contract: "docs/protocol.md: Presence",
    run: async ({ ann, ben, cat, logIn }) => {
      await cat.logOut();
      await ben.logOut();
      const watching = await ann.connect();
      const [first, second] = [await logIn("cat"), await logIn("cat")];
      await first.connect();
      await second.connect();
      await comes(watching, cat.username);
      await first.logOut();
      await (await logIn("ben")).connect();
      await comes(watching, ben.username);
      const outs = toldOf(watching, cat.username).filter((one) => one === "out");
      equal("what is told when one of two sessions ends", outs, []);
      await second.logOut();
      await goes(watching, cat.username);
    },
  },
  {
    name: "broadcast.reach",
    says: "a broadcast reaches everyone online; its author's stream gets the Ack alone; who was away never gets it",
    contract: "docs/protocol.md: Who sees a broadcast",
    run: async ({ ann, ben, cat, logIn, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      await cat.connect();
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      await cat.logOut();
      await goes(anns, cat.username);
      const id = ann.nextId();
      anns.write(broadcast(id, text("hear me")));
      const { seq } = await anns.acked(id);
      await bens.next("entryAppended", ({ entry }) => entry?.seq === seq, "the broadcast, for who is online");
      const back = await logIn("cat");
      const logOf = async (one: typeof ann) => {
        const { items } = await one.listMessages(toConversation(conversationId), {
          fromSeq: seq,
          toSeq: seq,
        });
        return namedByHistory(items);
      };
      equal("the history of who was here", await logOf(ben), [`${seq} hear me`]);
      equal("the history of the author", await logOf(ann), [`${seq} hear me`]);
      equal("the history of who was away", await logOf(back), [`omitted ${seq}-${seq}`]);
      const own = namedBy(anns.events, conversationId).filter((one) => seqsOf([one])[0] === seq);
      equal("the author's own stream", own, [`${seq} ack`]);
      holds("Ack.withheld where nobody blocks", !anns.all("ack")[0]?.withheld, "false", true);
    },
  },
];
