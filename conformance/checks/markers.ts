// Checks of markers and typing: which streams receive them, and that markers only rise.

import { RpcError } from "../../rpc/status/status.ts";
import { marker, setMarkers, setTyping, toConversation, toUser } from "../client/commands.ts";
import { equal, eventually, present } from "../client/expect.ts";
import { isRefused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

const byField = (a: readonly string[], b: readonly string[]): number =>
  (a[0] ?? "") < (b[0] ?? "") ? -1 : 1;

export const markerChecks: readonly Check[] = [
  {
    name: "markers.told",
    says: "the other user and the user's own devices receive a marker; read raises delivered; a marker never falls",
    contract: "event.proto: MarkersMoved",
    run: async ({ ann, ben, patienceMs }) => {
      const { conversationId } = await ann.send(ben, "one");
      const { seq } = await ann.send(ben, "two");
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      await ben.setMarkers(marker(conversationId, 0n, seq));
      for (const [who, stream] of [
        ["the other user", anns],
        ["the user's own stream", bens],
      ] as const) {
        const moved = await stream.next(
          "markersMoved",
          (one) => one.conversationId === conversationId && one.user?.username === ben.username,
          `MarkersMoved for ${who}`,
        );
        equal(`MarkersMoved for ${who}`, [moved.deliveredSeq, moved.readSeq], [seq, seq]);
      }
      await ben.setMarkers(marker(conversationId, seq - 1n, seq - 1n));
      const ofBen = async () => {
        const { marker: mine } = await ben.conversation(conversationId);
        const { peerMarker } = await ann.conversation(conversationId);
        return [mine, peerMarker].map((one) => [one?.deliveredSeq, one?.readSeq]);
      };
      const expected = [
        [seq, seq],
        [seq, seq],
      ];
      await eventually("the marker for both, after a lower one", patienceMs, ofBen, expected);
    },
  },
  {
    name: "markers.times",
    says: "a marker has the time at which it last rose, which a lower value does not change",
    contract: "conversation.proto: Marker.delivered_time",
    run: async ({ ann, ben, patienceMs }) => {
      const { conversationId, seq } = await ann.send(ben, "hello");
      await ben.setMarkers(marker(conversationId, seq, 0n));
      const own = async () => (await ben.conversation(conversationId)).marker;
      const rose = async () => (await own())?.deliveredSeq === seq;
      await eventually("the marker of the user", patienceMs, rose, true);
      const first = present("Marker.delivered_time", (await own())?.deliveredTime);
      await ben.setMarkers(marker(conversationId, seq, seq));
      const read = async () => (await own())?.readSeq === seq;
      await eventually("the read marker of the user", patienceMs, read, true);
      equal("Marker.delivered_time after read_seq rose alone", (await own())?.deliveredTime, first);
      present("Marker.read_time", (await own())?.readTime);
      const { peerMarker } = await ann.conversation(conversationId);
      equal("the times that the other user sees", peerMarker, await own());
    },
  },
  {
    name: "markers.on-a-stream",
    says: "of several markers on a stream, the one beyond its head is refused, and the others are stored",
    contract: "chat_service.proto: SetMarkersRequest.markers",
    run: async ({ ann, ben, cat, patienceMs }) => {
      const [right, wrong] = [await ann.send(ben, "one"), await cat.send(ben, "two")];
      const stream = await ben.connect();
      stream.write(
        setMarkers(marker(wrong.conversationId, wrong.seq + 1n), marker(right.conversationId, right.seq)),
      );
      isRefused("a marker beyond the head", await stream.next("refused"), "MARKER_BEYOND_HEAD", {
        conversationId: wrong.conversationId,
      });
      const delivered = async () => (await ben.conversation(right.conversationId)).marker?.deliveredSeq;
      await eventually("the delivered_seq of the valid marker", patienceMs, delivered, right.seq);
    },
  },
  {
    name: "markers.in-a-call",
    says: "of several markers in a call, every wrong one is named in the refusal, and the others are stored",
    contract: "chat_service.proto: SetMarkersRequest.markers",
    run: async ({ ann, ben, cat, patienceMs }) => {
      const [right, wrong] = [await ann.send(ben, "one"), await cat.send(ben, "two")];
      const call = ben.setMarkers(
        marker(wrong.conversationId, wrong.seq + 1n),
        marker("unknown", 1n),
        marker(right.conversationId, right.seq),
      );
      const error: unknown = await call.catch((thrown: unknown) => thrown);
      const named = error instanceof RpcError ? error.fields.map(({ field, reason }) => [field, reason]) : [];
      equal("the fields of the refusal", named.sort(byField), [
        ["markers[0]", "MARKER_BEYOND_HEAD"],
        ["markers[1].conversation_id", "CONVERSATION_NOT_FOUND"],
      ]);
      const delivered = async () => (await ben.conversation(right.conversationId)).marker?.deliveredSeq;
      await eventually("the delivered_seq of the valid marker", patienceMs, delivered, right.seq);
    },
  },
  {
    name: "markers.at-start",
    says: "a stream starts with MarkersMoved for each conversation in Hello",
    contract: "docs/protocol.md: Markers",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "one");
      await ben.setMarkers(marker(conversationId, seq));
      await ann.setMarkers(marker(conversationId, seq, seq));
      const stream = await ann.connect({ cursors: [{ conversationId, seq }] });
      const moved = stream
        .all("markersMoved")
        .filter((one) => one.conversationId === conversationId)
        .map((one) => [one.user?.username, one.deliveredSeq]);
      const byName = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
      const expected = [
        [ann.username, seq],
        [ben.username, seq],
      ].sort(byName);
      equal("MarkersMoved before CaughtUp", moved.sort(byName), expected);
    },
  },
  {
    name: "markers.of-broadcasts",
    says: "only the user's own devices receive a marker in the broadcast conversation",
    contract: "docs/protocol.md: Markers",
    run: async ({ ann, ben, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      const { seq } = await ann.broadcast("to all");
      await ben.setMarkers(marker(conversationId, seq));
      await bens.next("markersMoved", (one) => one.conversationId === conversationId);
      // ann does receive this marker, and the other one would arrive before it.
      const direct = await ann.send(ben, "to ben");
      await ben.setMarkers(marker(direct.conversationId, direct.seq));
      await anns.next("markersMoved", (one) => one.conversationId === direct.conversationId);
      const ofBen = anns
        .all("markersMoved")
        .filter((one) => one.conversationId === conversationId && one.user?.username === ben.username);
      equal("the markers that another user received", ofBen, []);
    },
  },
  {
    name: "typing.told",
    says: "the other user receives typing and its end, sent by call or on a stream; nothing is stored",
    contract: "event.proto: TypingChanged",
    run: async ({ ann, ben, cat }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const [anns, bens, cats] = [await ann.connect(), await ben.connect(), await cat.connect()];
      anns.write(setTyping(toUser(ben.username)));
      anns.write(setTyping(toConversation(conversationId), false));
      await bens.next("typingChanged", ({ typing }) => !typing, "the end of typing");
      await ann.setTyping(toUser(ben.username));
      await bens.next("typingChanged", undefined, "typing by a call");
      const received = bens.all("typingChanged");
      equal(
        "TypingChanged.typing",
        received.map(({ typing }) => typing),
        [true, false, true],
      );
      for (const one of received) {
        equal("TypingChanged", [one.conversationId, one.user?.username], [conversationId, ann.username]);
      }
      await ann.send(cat, "the end");
      await cats.next("entryAppended");
      equal("the typing that a third user received", cats.all("typingChanged"), []);
      equal("the head after typing", (await ben.conversation(conversationId)).headSeq, seq);
    },
  },
];
