// The transcript "unknown": events of a later server. A client ignores what it does not know, and handles the rest.
import type { ConversationKind } from "../../gen/parley/chat/v1/conversation.ts";
import { Entry, type GapKind } from "../../gen/parley/chat/v1/entry.ts";
import { Ack, type Feature, Refused } from "../../gen/parley/chat/v1/event.ts";
import type { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { lengthDelimited } from "../../rpc/wire/raw-fields.ts";
import { at, caughtUp, direct, leia, luke, text, welcome, withLeia, withLuke, yoda } from "./people.ts";
import { frame, piece, type Transcript } from "./transcript.ts";

/** Fields that no message of this version has. */
const number = Uint8Array.of(0xc0, 0x06, 7); // 104, a varint
const words = lengthDelimited(105, Buffer.from("from a later version"));
/** Field numbers in Event, EntryAppended and Entry. */
const ENTRY_APPENDED = 5;
const ENTRY = 1;
const CONTENT = 15;
const ACK = 3;
const REFUSED = 4;

/** A message of luke whose content is any bytes. */
function withContent(seq: bigint, content: Uint8Array): Uint8Array {
  const bare = direct(withLuke, seq, luke, yoda, undefined);
  const entry = bare?.$case === "entryAppended" ? bare.value.entry : undefined;
  if (entry === undefined) throw new Error("a message has an entry");
  const encoded = Buffer.concat([Entry.encode(entry).finish(), lengthDelimited(CONTENT, content)]);
  return lengthDelimited(ENTRY_APPENDED, lengthDelimited(ENTRY, encoded));
}

export const unknown: Transcript = {
  name: "unknown",
  frames: [
    frame(piece(welcome({ features: [1, 42 as Feature, 3] }), words)),
    frame(
      lengthDelimited(99, Buffer.from("an event of a later version")),
      direct(withLuke, 1n, luke, yoda, text("after an unknown event")),
      number,
      piece(undefined),
      direct(withLuke, 2n, luke, yoda, text("after an event of nothing")),
    ),
    frame(withContent(3n, lengthDelimited(2, Buffer.from("a picture, say")))),
    frame(
      withContent(
        4n,
        Buffer.concat([lengthDelimited(1, Buffer.from("a text with more beside it")), words, number]),
      ),
    ),
    frame(withContent(5n, new Uint8Array())),
    frame(direct(withLuke, 6n, luke, yoda, undefined)),
    frame({
      $case: "entryAppended",
      value: {
        entry: {
          conversationId: "c20",
          seq: 1n,
          kind: 9 as ConversationKind,
          sender: leia,
          recipient: undefined,
          sendTime: at(20),
          content: text("in a conversation of a later kind"),
        },
      },
    }),
    frame(
      { $case: "gap", value: { conversationId: withLeia, fromSeq: 1n, toSeq: 2n, kind: 77 as GapKind } },
      { $case: "gap", value: { conversationId: withLeia, fromSeq: 3n, toSeq: 3n, kind: 0 } },
      direct(withLeia, 4n, leia, yoda, text("after gaps of unknown kinds")),
    ),
    frame(caughtUp),
    frame(
      lengthDelimited(REFUSED, Buffer.concat([refused(51n, 9_999), words])),
      lengthDelimited(REFUSED, refused(52n, 0)),
      lengthDelimited(ACK, Buffer.concat([acked(53n, 7n), number])),
    ),
    frame(direct(withLuke, 8n, luke, yoda, text("and the rest"))),
  ],
  outcome: {
    lines: [
      "connected as yoda",
      "luke: after an unknown event",
      "luke: after an event of nothing",
      "luke: (something that this program is too old for)",
      "luke: a text with more beside it",
      "luke: (something that this program is too old for)",
      "luke: (something that this program is too old for)",
      "leia: after gaps of unknown kinds",
      "caught up",
      "refused: 9999 (A sentence.)",
      "refused: UNSPECIFIED (A sentence.)",
      "stored as number 7",
      "luke: and the rest",
    ],
    cursors: { [withLuke]: "8", c20: "1", [withLeia]: "4" },
    acks: [
      { clientMessageId: "53", conversationId: withLuke, seq: "7", repeatedSend: false, withheld: false },
    ],
    refusals: [
      { clientMessageId: "51", reason: "9999" },
      { clientMessageId: "52", reason: "UNSPECIFIED" },
    ],
    gaps: [
      { conversationId: withLeia, fromSeq: "1", toSeq: "2", fillable: false },
      { conversationId: withLeia, fromSeq: "3", toSeq: "3", fillable: false },
    ],
    omitted: [],
  },
};

function refused(clientMessageId: bigint, reason: number): Uint8Array {
  const rest = { field: "", message: "A sentence.", retryDelay: undefined, conversationId: "", metadata: {} };
  return Refused.encode({ clientMessageId, reason: reason as Reason, ...rest }).finish();
}

function acked(clientMessageId: bigint, seq: bigint): Uint8Array {
  const rest = { sendTime: at(7), repeatedSend: false, withheld: false };
  return Ack.encode({ clientMessageId, conversationId: withLuke, seq, ...rest }).finish();
}
