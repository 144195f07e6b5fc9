// The transcripts "resume", with gaps and omitted entries, and "early-acks", with acks before earlier entries.
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
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
  withLeia,
  withLuke,
  yoda,
} from "./people.ts";
import { frame, type Transcript } from "./transcript.ts";

export const resume: Transcript = {
  name: "resume",
  frames: [
    frame(welcome({ online: [], features: [] })),
    frame(
      { $case: "gap", value: { conversationId: withLuke, fromSeq: 7n, toSeq: 120n, kind: GapKind.FILLABLE } },
      direct(withLuke, 121n, luke, yoda, text("Where were you?")),
      direct(withLuke, 122n, luke, yoda, text("Master?")),
    ),
    frame(
      { $case: "gap", value: { conversationId: withLeia, fromSeq: 1n, toSeq: 3n, kind: GapKind.GONE } },
      direct(withLeia, 4n, leia, yoda, text("This is what is left.")),
    ),
    frame(
      { $case: "omitted", value: { conversationId: everyone, fromSeq: 10n, toSeq: 12n } },
      { $case: "gap", value: { conversationId: everyone, fromSeq: 13n, toSeq: 13n, kind: GapKind.GONE } },
      broadcast(14n, leia, text("You are in time.")),
      { $case: "omitted", value: { conversationId: everyone, fromSeq: 15n, toSeq: 15n } },
    ),
    frame(caughtUp),
  ],
  outcome: {
    lines: [
      "connected as yoda",
      "luke: Where were you?",
      "luke: Master?",
      "leia: This is what is left.",
      "leia: You are in time.",
      "caught up",
    ],
    cursors: { [withLuke]: "122", [withLeia]: "4", [everyone]: "15" },
    acks: [],
    refusals: [],
    gaps: [
      { conversationId: withLuke, fromSeq: "7", toSeq: "120", fillable: true },
      { conversationId: withLeia, fromSeq: "1", toSeq: "3", fillable: false },
      { conversationId: everyone, fromSeq: "13", toSeq: "13", fillable: false },
    ],
    omitted: [
      { conversationId: everyone, fromSeq: "10", toSeq: "12" },
      { conversationId: everyone, fromSeq: "15", toSeq: "15" },
    ],
  },
};

/** While a stream catches up, acks arrive early and their entries are sent, too. Only an ack with the next seq moves a cursor. */
export const earlyAcks: Transcript = {
  name: "early-acks",
  frames: [
    frame(welcome()),
    frame(direct(withLuke, 1n, luke, yoda, text("one")), direct(withLuke, 2n, luke, yoda, text("two"))),
    frame(ack(1n, withLuke, 5n)),
    frame(direct(withLuke, 3n, luke, yoda, text("three"))),
    // The first seq of a conversation without entries is the next one.
    frame(ack(2n, "c12", 1n)),
    // This conversation has earlier entries that have not arrived yet.
    frame(ack(3n, withLeia, 8n)),
    frame(
      direct(withLuke, 4n, luke, yoda, text("four")),
      direct(withLuke, 5n, yoda, luke, text("five, which was acked")),
    ),
    frame(
      { $case: "gap", value: { conversationId: withLeia, fromSeq: 1n, toSeq: 6n, kind: GapKind.FILLABLE } },
      direct(withLeia, 7n, leia, yoda, text("seven")),
    ),
    frame(direct(withLeia, 8n, yoda, leia, text("eight, which was acked"))),
    frame(caughtUp, ack(4n, withLuke, 6n)),
    // Early, and nothing follows: the next Hello asks for the missing entries.
    frame(ack(5n, withLuke, 8n)),
  ],
  outcome: {
    lines: [
      "connected as yoda",
      "luke: one",
      "luke: two",
      "stored as number 5",
      "luke: three",
      "stored as number 1",
      "stored as number 8",
      "luke: four",
      "yoda: five, which was acked",
      "leia: seven",
      "yoda: eight, which was acked",
      "caught up",
      "stored as number 6",
      "stored as number 8",
    ],
    cursors: { [withLuke]: "6", c12: "1", [withLeia]: "8" },
    acks: [
      { clientMessageId: "1", conversationId: withLuke, seq: "5", repeatedSend: false, withheld: false },
      { clientMessageId: "2", conversationId: "c12", seq: "1", repeatedSend: false, withheld: false },
      { clientMessageId: "3", conversationId: withLeia, seq: "8", repeatedSend: false, withheld: false },
      { clientMessageId: "4", conversationId: withLuke, seq: "6", repeatedSend: false, withheld: false },
      { clientMessageId: "5", conversationId: withLuke, seq: "8", repeatedSend: false, withheld: false },
    ],
    refusals: [],
    gaps: [{ conversationId: withLeia, fromSeq: "1", toSeq: "6", fillable: true }],
    omitted: [],
  },
};
