// The transcript "session": a stream from Welcome on, with every kind of event.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import {
  ack,
  broadcast,
  caughtUp,
  direct,
  everyone,
  leia,
  luke,
  text,
  welcome,
  withLuke,
  yoda,
} from "./people.ts";
import { frame, type Transcript } from "./transcript.ts";

const conversationId = withLuke;
const nothing = { field: "", message: "", retryDelay: undefined, conversationId: "", metadata: {} };

export const session: Transcript = {
  name: "session",
  frames: [
    frame(welcome()),
    frame(
      {
        $case: "markersMoved",
        value: {
          conversationId,
          user: yoda,
          deliveredSeq: 2n,
          readSeq: 2n,
          deliveredTime: undefined,
          readTime: undefined,
          undelivered: [],
        },
      },
      {
        $case: "markersMoved",
        value: {
          conversationId,
          user: luke,
          deliveredSeq: 2n,
          readSeq: 1n,
          deliveredTime: undefined,
          readTime: undefined,
          undelivered: [{ fromSeq: 1n, toSeq: 1n }],
        },
      },
      direct(conversationId, 3n, luke, yoda, text("What do you see?")),
      direct(conversationId, 4n, yoda, luke, text("The future.")),
    ),
    frame(
      { $case: "omitted", value: { conversationId: everyone, fromSeq: 5n, toSeq: 6n } },
      broadcast(7n, leia, text("Help is on its way.")),
    ),
    frame(caughtUp, { $case: "presenceChanged", value: { cameOnline: [luke], wentOffline: [] } }),
    frame({ $case: "typingChanged", value: { conversationId, user: luke, typing: true } }),
    frame(direct(conversationId, 5n, luke, yoda, text("Is it far?"))),
    frame(ack(41n, conversationId, 6n), {
      $case: "typingChanged",
      value: { conversationId, user: luke, typing: false },
    }),
    // An empty frame is a frame.
    frame(),
    frame(ack(42n, everyone, 8n, { withheld: true }), broadcast(9n, leia, text("Come in."))),
    frame(
      {
        $case: "refused",
        value: {
          ...nothing,
          clientMessageId: 43n,
          reason: Reason.USER_NOT_FOUND,
          field: "target.username",
          message: "There is no user of that name.",
        },
      },
      {
        $case: "refused",
        value: {
          clientMessageId: 0n,
          reason: Reason.MARKER_BEYOND_HEAD,
          field: "markers[0]",
          message: "That marker is beyond the newest entry.",
          retryDelay: undefined,
          conversationId,
          metadata: {},
        },
      },
      {
        $case: "refused",
        value: {
          ...nothing,
          clientMessageId: 9_223_372_036_854_775_807n,
          reason: Reason.OVERLOADED,
          message: "Later.",
          retryDelay: { seconds: 2n, nanos: 250_000_000 },
        },
      },
    ),
    // The answer to a repeated send, whose entry has a position already.
    frame(ack(41n, conversationId, 6n, { repeatedSend: true })),
    frame({ $case: "presenceChanged", value: { cameOnline: [], wentOffline: [luke] } }),
  ],
  outcome: {
    lines: [
      "connected as yoda",
      "luke: What do you see?",
      "yoda: The future.",
      "leia: Help is on its way.",
      "caught up",
      "luke: Is it far?",
      "stored as number 6",
      "stored as number 8",
      "leia: Come in.",
      "refused: USER_NOT_FOUND (There is no user of that name.)",
      "refused: MARKER_BEYOND_HEAD (That marker is beyond the newest entry.)",
      "refused: OVERLOADED (Later.)",
      "stored as number 6",
    ],
    cursors: { [withLuke]: "6", [everyone]: "9" },
    acks: [
      { clientMessageId: "41", conversationId: withLuke, seq: "6", repeatedSend: false, withheld: false },
      { clientMessageId: "42", conversationId: everyone, seq: "8", repeatedSend: false, withheld: true },
      { clientMessageId: "41", conversationId: withLuke, seq: "6", repeatedSend: true, withheld: false },
    ],
    refusals: [
      { clientMessageId: "43", reason: "USER_NOT_FOUND" },
      { clientMessageId: "0", reason: "MARKER_BEYOND_HEAD" },
      { clientMessageId: "9223372036854775807", reason: "OVERLOADED" },
    ],
    gaps: [],
    omitted: [{ conversationId: everyone, fromSeq: "5", toSeq: "6" }],
  },
};
