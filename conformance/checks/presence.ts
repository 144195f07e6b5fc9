// Checks of presence and of broadcasts, which reach only the users who are online.

import { broadcast, leave, send, text, toConversation, toUser } from "../client/commands.ts";
import { equal, eventually, isTrue } from "../client/expect.ts";
import { namedBy, namedByHistory, seqsOf } from "../client/named.ts";
import { presenceOf, seenOffline, seenOnline } from "../client/presence-events.ts";
import type { Check } from "./check.ts";

const HOUR = 3_600n;

export const presenceChecks: readonly Check[] = [
  {
    name: "presence.come-and-go",
    says: "a user who opens a stream is online for all others, and offline after a log-out: in events, Welcome and ListUsers",
    contract: "event.proto: PresenceChanged",
    run: async ({ ann, ben, cat, logIn, patienceMs }) => {
      await cat.logOut();
      const watching = await ann.connect();
      const isListed = async () => (await ann.onlineUsers()).includes(cat.username);
      await eventually("whether ListUsers has an offline user", patienceMs, isListed, false);
      const session = await logIn("cat");
      equal("whether a log-in alone makes online", await isListed(), false);
      await session.connect();
      await seenOnline(watching, cat.username);
      await eventually("whether ListUsers has an online user", patienceMs, isListed, true);
      const isWelcomed = async () => {
        const { online } = await ben.open().next("welcome");
        ben.closeStreams();
        return online.some(({ username }) => username === cat.username);
      };
      await eventually("whether Welcome has an online user", patienceMs, isWelcomed, true);
      const self = await session.onlineUsers();
      equal("whether ListUsers has the asking user", self.includes(cat.username), false);
      await session.logOut();
      await seenOffline(watching, cat.username);
      await eventually("whether ListUsers has a user who logged out", patienceMs, isListed, false);
      const lately = (await ann.onlineUsers(HOUR)).includes(cat.username);
      equal("whether ListUsers has a user who was online within the hour", lately, true);
    },
  },
  {
    name: "presence.devices",
    says: "a user with several sessions goes offline with the last of them",
    contract: "docs/protocol.md: Presence",
    run: async ({ ann, ben, cat, logIn }) => {
      await cat.logOut();
      await ben.logOut();
      const watching = await ann.connect();
      const [first, second] = [await logIn("cat"), await logIn("cat")];
      await first.connect();
      await second.connect();
      await seenOnline(watching, cat.username);
      await first.logOut();
      await (await logIn("ben")).connect();
      await seenOnline(watching, ben.username);
      const outs = presenceOf(watching, cat.username).filter((one) => one === "offline");
      equal("the presence after the end of one of two sessions", outs, []);
      await second.logOut();
      await seenOffline(watching, cat.username);
    },
  },
  {
    name: "presence.leave",
    says: "Leave ends the stream, or the streams of a process_id, with OK; the user is offline once no other stream is left",
    contract: "chat_service.proto: ChatService.Leave",
    run: async ({ ann, ben, cat, logIn }) => {
      // A log-out ends the grace periods that earlier streams left.
      await ben.logOut();
      await cat.logOut();
      const watching = await ann.connect();
      const leaving = await logIn("ben");
      const stream = await leaving.connect();
      await seenOnline(watching, ben.username);
      const [answered, dropped] = [leaving.nextId(), leaving.nextId()];
      const toAnn = toUser(ann.username);
      stream.write(send(answered, toAnn, text("bye")), leave, send(dropped, toAnn, text("not performed")));
      await stream.acked(answered);
      equal("the end of the stream after Leave", await stream.ended(), undefined);
      await seenOffline(watching, ben.username);
      equal("whether ListUsers has a user who left", (await ann.onlineUsers()).includes(ben.username), false);

      const follower = await logIn("cat");
      const [first, second] = [follower.follow({ processId: "one" }), follower.follow({ processId: "two" })];
      await first.caughtUp();
      await second.caughtUp();
      await follower.leave("one");
      equal("the end of the Follow stream after the call", await first.ended(), undefined);
      const isListed = async () => (await ann.onlineUsers()).includes(cat.username);
      equal("whether ListUsers has a user with another stream", await isListed(), true);
      await follower.leave("two");
      equal("the end of the last Follow stream", await second.ended(), undefined);
      equal("whether ListUsers has a user who left by a call", await isListed(), false);
      const texts = watching.all("entryAppended").map(({ entry }) => entry?.content?.kind?.value);
      equal("whether a send after Leave was performed", texts.includes("not performed"), false);
    },
  },
  {
    name: "broadcast.reach",
    says: "a broadcast reaches every user who is online; its author's stream receives only the Ack; offline users never receive it",
    contract: "docs/protocol.md: Who sees a broadcast",
    run: async ({ ann, ben, cat, logIn, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      await cat.connect();
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      await cat.logOut();
      await seenOffline(anns, cat.username);
      const id = ann.nextId();
      anns.write(broadcast(id, text("hear me")));
      const { seq } = await anns.acked(id);
      await bens.next(
        "entryAppended",
        ({ entry }) => entry?.seq === seq,
        "the broadcast, for a user who is online",
      );
      const back = await logIn("cat");
      const logOf = async (one: typeof ann) => {
        const { items } = await one.listMessages(toConversation(conversationId), {
          fromSeq: seq,
          toSeq: seq,
        });
        return namedByHistory(items);
      };
      equal("the history of the user who was online", await logOf(ben), [`${seq} hear me`]);
      equal("the history of the author", await logOf(ann), [`${seq} hear me`]);
      equal("the history of the user who was offline", await logOf(back), [`omitted ${seq}-${seq}`]);
      const own = namedBy(anns.events, conversationId).filter((one) => seqsOf([one])[0] === seq);
      equal("the author's own stream", own, [`${seq} ack`]);
      isTrue("Ack.withheld without a block", !anns.all("ack")[0]?.withheld, "false", true);
    },
  },
];
