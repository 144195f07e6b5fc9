// Checks that Follow with the unary twins does the same as Connect.

import { broadcast, marker, send, setMarkers, setTyping, text, toUser } from "../client/commands.ts";
import { equal } from "../client/expect.ts";
import { namedBy } from "../client/named.ts";
import { seenOnline } from "../client/presence-events.ts";
import { endedBy } from "../client/reasons.ts";
import type { Stream } from "../client/stream.ts";
import type { Check } from "./check.ts";

export const twinChecks: readonly Check[] = [
  {
    name: "twins.same-events",
    says: "a Follow stream receives the events of a Connect stream with the same Hello, in the same order",
    contract: "chat_service.proto: ChatService.Follow",
    run: async ({ ann, ben, cat, logIn, welcome }) => {
      await cat.logOut();
      const { conversationId, seq } = await ann.send(ben, "before");
      for (const value of ["one", "two", "three"]) await ann.send(ben, value);
      const cursors = [{ conversationId, seq }];
      const streams = [ben.open({ cursors }), ben.follow({ cursors })] as const;
      for (const stream of streams) await stream.caughtUp();
      await ann.send(ben, "live");
      const { seq: shout } = await ann.broadcast("to all");
      await ben.broadcast("my own, by a call");
      await ann.setTyping(toUser(ben.username));
      await ann.setMarkers(marker(conversationId, seq + 4n, seq + 4n));
      await (await logIn("cat")).connect();
      for (const stream of streams) {
        await seenOnline(stream, cat.username);
        await stream.until("all events", () => {
          const isMarked = stream.all("markersMoved").some(({ readSeq }) => readSeq === seq + 4n);
          const broadcasts = namedBy(stream.events, welcome.broadcastConversationId);
          return (
            isMarked &&
            stream.all("typingChanged").length > 0 &&
            broadcasts.some((one) => one.endsWith(" call"))
          );
        });
      }
      const [connected, followed] = streams.map((stream) => ({
        first: stream.events[0]?.kind?.$case,
        direct: namedBy(stream.events, conversationId),
        broadcasts: namedBy(stream.events, welcome.broadcastConversationId).filter(
          (one) => Number.parseInt(one, 10) >= shout,
        ),
        typing: stream.all("typingChanged"),
        markers: stream.all("markersMoved").filter((one) => one.conversationId === conversationId),
        caughtUp: stream.all("caughtUp").length,
        online: names(stream),
      }));
      equal("the events of Follow, compared with Connect", followed, connected);
    },
  },
  {
    name: "twins.same-effects",
    says: "each command of a stream has the effect of its unary twin: a message, a broadcast, a marker, typing",
    contract: "chat_service.proto: ChatService",
    run: async ({ ann, ben, welcome }) => {
      const { conversationId, seq } = await ben.send(ann, "to be marked");
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      const [first, second] = [ann.nextId(), ann.nextId()];
      anns.write(send(first, toUser(ben.username), text("said")));
      anns.write(broadcast(second, text("shouted")));
      const acks = [await anns.acked(first), await anns.acked(second)];
      const called = [await ann.send(ben, "said"), await ann.broadcast("shouted")];
      const shapes = (list: typeof acks) =>
        list.map((ack) => [ack.conversationId, ack.repeatedSend, ack.withheld, ack.sendTime instanceof Date]);
      equal("the answers of calls, compared with acks", shapes(called), shapes(acks));
      anns.write(setMarkers(marker(conversationId, seq)), setTyping(toUser(ben.username)));
      const isReceived = (delivered: bigint, typing: number) => () =>
        bens.all("markersMoved").some(({ deliveredSeq }) => deliveredSeq === delivered) &&
        bens.all("typingChanged").length >= typing;
      await bens.until("the marker and the typing of a stream", isReceived(seq, 1));
      await ann.setMarkers(marker(conversationId, seq + 1n));
      await ann.setTyping(toUser(ben.username));
      await bens.until("the marker and the typing of a call", isReceived(seq + 1n, 2));
      const words = new Map([
        [conversationId, "said"],
        [welcome.broadcastConversationId, "shouted"],
      ]);
      await bens.until("the messages and broadcasts, on a stream and by a call", () =>
        [...acks, ...called].every((ack) =>
          namedBy(bens.events, ack.conversationId).includes(`${ack.seq} ${words.get(ack.conversationId)}`),
        ),
      );
    },
  },
  {
    name: "twins.same-endings",
    says: "Follow refuses a Hello as Connect does, and ends with its session as Connect does",
    contract: "chat_service.proto: FollowRequest.hello",
    run: async ({ logIn }) => {
      const session = await logIn("ann");
      const cursors = [{ conversationId: "none", seq: 0n }];
      for (const [what, stream] of [
        ["Connect with a wrong cursor", session.open({ cursors })],
        ["Follow with a wrong cursor", session.follow({ cursors })],
      ] as const) {
        await endedBy(what, stream, "CONVERSATION_NOT_FOUND", {
          field: "hello.cursors[0].conversation_id",
        });
      }
      const streams = [await session.connect(), await session.follow().caughtUp()];
      await session.logOut();
      for (const [index, stream] of streams.entries()) {
        await endedBy(`the stream of a session that logs out, ${index + 1}`, stream, "SESSION_ENDED");
      }
    },
  },
];

function names(stream: Stream): string[] {
  return (stream.all("welcome")[0]?.online ?? []).map(({ username }) => username);
}
