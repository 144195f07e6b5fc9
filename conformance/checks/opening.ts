// Checks of how a stream opens and closes: Hello, Welcome, CaughtUp, and the client's half-close.
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { hello, marker, send, setTyping, text, toUser } from "../client/commands.ts";
import { equal, isTrue, Skip } from "../client/expect.ts";
import { entriesFrom } from "../client/named.ts";
import { endedBy } from "../client/reasons.ts";
import type { Check } from "./check.ts";

export const openingChecks: readonly Check[] = [
  {
    name: "stream.welcome",
    says: "Welcome is the first event and comes once, CaughtUp comes once, and Welcome names the user, device, session and server",
    contract: "event.proto: Event.welcome",
    run: async ({ ann, ben }) => {
      const stream = await ann.connect();
      // This causes an event, and a second Welcome would arrive before it.
      await ben.send(ann, "hello");
      await stream.next("entryAppended");
      equal("the first event", stream.events[0]?.kind?.$case, "welcome");
      const [welcome, ...more] = stream.all("welcome");
      equal("further Welcomes", more, []);
      equal("CaughtUps", stream.all("caughtUp").length, 1);
      const { grant } = ann;
      equal("Welcome.server_id", welcome?.serverId, grant.serverId);
      equal("Welcome.session_id", welcome?.sessionId, grant.sessionId);
      equal("Welcome.device_id", welcome?.deviceId, grant.device?.deviceId);
      equal("Welcome.user", welcome?.user, grant.user);
      isTrue("Welcome.limits", welcome?.limits !== undefined, "them to be set", welcome?.limits);
      isTrue("Welcome.server_time", welcome?.serverTime !== undefined, "it to be set", welcome?.serverTime);
    },
  },
  {
    name: "stream.hello-first",
    says: "a stream whose first frame is not exactly one Hello ends as HELLO_EXPECTED, and its commands are not carried out",
    contract: "reason.proto: REASON_HELLO_EXPECTED",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const early = (id: bigint) => send(id, toUser(ben.username), text("too early"));
      const frames = [
        [early(ann.nextId())],
        [hello(), early(ann.nextId())],
        [early(ann.nextId()), hello()],
        [hello(), hello()],
        [{ kind: undefined }],
        [],
      ];
      for (const [index, frame] of frames.entries()) {
        const stream = ann.open(null);
        stream.write(...frame);
        await endedBy(`first frame number ${index + 1}`, stream, "HELLO_EXPECTED");
      }
      equal("the log", await ann.log(conversationId, seq), entriesFrom(seq, ["before"]));
    },
  },
  {
    name: "stream.hello-repeated",
    says: "a second Hello ends the stream as HELLO_REPEATED",
    contract: "reason.proto: REASON_HELLO_REPEATED",
    run: async ({ ann }) => {
      const stream = await ann.connect();
      stream.write(hello());
      await endedBy("a stream with two Hellos", stream, "HELLO_REPEATED");
    },
  },
  {
    name: "stream.hello-timeout",
    says: "a stream without a Hello within 5 s ends as HELLO_TIMEOUT, with a delay",
    contract: "docs/protocol.md: The life of a stream",
    run: async ({ ann, patienceMs }) => {
      if (patienceMs <= HELLO_MS) throw new Skip("it takes 5 s, and --patience is less");
      const stream = ann.open(null);
      await endedBy("a stream without Hello", stream, "HELLO_TIMEOUT", { delay: true });
    },
  },
  {
    name: "stream.features",
    says: "only the families of events that Hello asks for arrive, and Welcome names them",
    contract: "chat_service.proto: Hello.features",
    run: async ({ ann, ben, cat }) => {
      const typingOnly = await ben.connect({ features: [Feature.TYPING] });
      const all = await ben.connect();
      equal("Welcome.features for TYPING", typingOnly.all("welcome")[0]?.features, [Feature.TYPING]);
      equal("Welcome.online without PRESENCE", typingOnly.all("welcome")[0]?.online, []);
      const unknown = await ben.connect({ features: [99 as Feature] });
      equal("Welcome.features for an unknown value", unknown.all("welcome")[0]?.features, []);
      unknown.cancel();
      equal(
        "Welcome.features for an empty list",
        all.all("welcome")[0]?.features.toSorted((a, b) => a - b),
        [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS],
      );
      const { conversationId, seq } = await ann.send(ben, "marked");
      await ben.setMarkers(marker(conversationId, seq));
      await ann.connect().then((stream) => stream.write(setTyping(toUser(ben.username))));
      await cat.connect();
      await all.next("presenceChanged");
      await all.until("a MarkersMoved", () =>
        all.all("markersMoved").some((one) => one.deliveredSeq === seq),
      );
      await typingOnly.next("typingChanged");
      await ann.send(ben, "the end");
      await typingOnly.next("entryAppended", ({ entry }) => entry?.seq === seq + 1n);
      equal("markers without MARKERS", typingOnly.all("markersMoved"), []);
      equal("presence without PRESENCE", typingOnly.all("presenceChanged"), []);
    },
  },
  {
    name: "stream.close",
    says: "after the client's half-close, the commands before it are answered, and the stream ends with OK",
    contract: "docs/protocol.md: The life of a stream",
    run: async ({ ann, ben }) => {
      const stream = await ann.connect();
      const ids = ann.sendOn(stream, ben, ["one", "two", "three"]);
      stream.finish();
      equal("the end of the stream", await stream.ended(), undefined);
      equal(
        "the acks",
        stream.all("ack").map((ack) => ack.clientMessageId),
        ids,
      );
    },
  },
];

const HELLO_MS = 5_000;
