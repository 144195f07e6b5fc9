// Checks of markers and of typing: who is told, and that markers only rise.

import { marker, setMarkers, setTyping, toConversation, toUser } from "../client/commands.ts";
import { equal, eventually } from "../client/expect.ts";
import { isRefused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

export const markerChecks: readonly Check[] = [
  {
    name: "markers.told",
    says: "a marker is told to the other user and to the user's own devices; read raises delivered; it never falls",
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
        const told = await stream.next(
          "markersMoved",
          (one) => one.conversationId === conversationId && one.user?.username === ben.username,
          `MarkersMoved for ${who}`,
        );
        equal(`MarkersMoved for ${who}`, [told.deliveredSeq, told.readSeq], [seq, seq]);
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
    name: "markers.on-a-stream",
    says: "of several markers on a stream the one beyond its head is refused, and the others are taken",
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
      await eventually("the delivered_seq of the other one", patienceMs, delivered, right.seq);
    },
  },
  {
    name: "markers.at-start",
    says: "at the beginning of a stream MarkersMoved tells the state of each conversation that Hello names",
    contract: "docs/protocol.md: Markers",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "one");
      await ben.setMarkers(marker(conversationId, seq));
      await ann.setMarkers(marker(conversationId, seq, seq));
      const stream = await ann.connect({ cursors: [{ conversationId, seq }] });
      const told = stream
        .all("markersMoved")
        .filter((one) => one.conversationId === conversationId)
        .map((one) => [one.user?.username, one.deliveredSeq]);
      const byName = (a: unknown[], b: unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1);
      const expected = [
        [ann.username, seq],
        [ben.username, seq],
      ].sort(byName);
      equal("MarkersMoved before CaughtUp", told.sort(byName), expected);
    },
  },
  {
    name: "markers.of-broadcasts",
    says: "a marker in the broadcast conversation is told to the user's own devices, and to nobody else",
    contract: "docs/protocol.md: Markers",
    run: async ({ ann, ben, welcome }) => {
      const conversationId = welcome.broadcastConversationId;
      const [anns, bens] = [await ann.connect(), await ben.connect()];
      const { seq } = await ann.broadcast("to all");
      await ben.setMarkers(marker(conversationId, seq));
      await bens.next("markersMoved", (one) => one.conversationId === conversationId);
      // One that ann is told of, so that the other had its chance.
      const direct = await ann.send(ben, "to ben");
      await ben.setMarkers(marker(direct.conversationId, direct.seq));
      await anns.next("markersMoved", (one) => one.conversationId === direct.conversationId);
      const ofBen = anns
        .all("markersMoved")
        .filter((one) => one.conversationId === conversationId && one.user?.username === ben.username);
      equal("what another user is told", ofBen, []);
    },
  },
  {
    name: "typing.told",
    says: "typing and its end are told to the other user, by call and on a stream, and stored nowhere",
    contract: "event.proto: TypingChanged",
    run: async ({ ann, ben, cat }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const [anns, bens, cats] = [await ann.connect(), await ben.connect(), await cat.connect()];
      anns.write(setTyping(toUser(ben.username)));
      anns.write(setTyping(toConversation(conversationId), false));
      await bens.next("typingChanged", ({ typing }) => !typing, "the end of typing");
      await ann.setTyping(toUser(ben.username));
      await bens.next("typingChanged", undefined, "typing by a call");
      const told = bens.all("typingChanged");
      equal(
        "TypingChanged.typing",
        told.map(({ typing }) => typing),
        [true, false, true],
      );
      for (const one of told) {
        equal("TypingChanged", [one.conversationId, one.user?.username], [conversationId, ann.username]);
      }
      await ann.send(cat, "the end");
      await cats.next("entryAppended");
      equal("what a third user is told", cats.all("typingChanged"), []);
      equal("the head after it", (await ben.conversation(conversationId)).headSeq, seq);
    },
  },
];
