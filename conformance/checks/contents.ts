// Checks of contents: they are kept byte for byte, including fields that the server does not know, and unknown kinds are refused.
import { ChatServiceService } from "../../gen/parley/chat/v1/chat_service.ts";
import { HistoryServiceService } from "../../gen/parley/chat/v1/history_service.ts";
import { lengthDelimited } from "../../rpc/wire/raw-fields.ts";
import { toConversation, toUser } from "../client/commands.ts";
import { equal } from "../client/expect.ts";
import { entriesFrom, namedBy } from "../client/named.ts";
import {
  contentOf,
  contentsOf,
  frameOf,
  hex,
  sendBytes,
  textContent,
  UNKNOWN_NUMBER,
  UNKNOWN_TEXT,
} from "../client/raw.ts";
import { isRefused, refused } from "../client/reasons.ts";
import type { EventOf } from "../client/stream.ts";
import type { Check, Fixture } from "./check.ts";

const texts = [
  ` "quotes"  and \\ two  spaces `,
  "\u001b[2J\u001b]0;x\u0007 \u0001\u0002 \r\n\t",
  "\u202Eabc \u{1F468}\u200D\u{1F469}\u200D\u{1F467} e\u0301 \uFFFD",
  "logout",
  " ",
];

export const contentChecks: readonly Check[] = [
  {
    name: "content.verbatim",
    says: "a text is not changed: spaces, controls, direction marks, joined emoji, decomposed letters",
    contract: "entry.proto: Content.text",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const reading = await ben.connect({ cursors: [{ conversationId, seq }] });
      for (const value of texts) await ann.send(ben, value);
      const expected = entriesFrom(seq + 1n, texts);
      const named = () => namedBy(reading.events, conversationId);
      await reading.until("the texts", () => named().length >= texts.length);
      equal("the texts on a stream", named(), expected);
      equal("the texts in the history", await ben.log(conversationId, seq + 1n), expected);
    },
  },
  {
    name: "content.unknown-kind",
    says: "a content of a kind that the server does not know is refused, and nothing is stored",
    contract: "docs/compatibility.md: What a server does",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const target = toUser(ben.username);
      const send = sendBytes(ann.nextId(), target, UNKNOWN_TEXT);
      await refused(
        "a content of an unknown kind",
        ann.call(ChatServiceService.sendMessage, send),
        "CONTENT_KIND_UNKNOWN",
      );
      const stream = await ann.connect();
      const clientMessageId = ann.nextId();
      stream.writeBytes(frameOf(sendBytes(clientMessageId, target, UNKNOWN_TEXT)));
      const event = await stream.next("refused");
      isRefused("a content of an unknown kind, on a stream", event, "CONTENT_KIND_UNKNOWN", {
        clientMessageId,
      });
      equal("the log", await ann.log(conversationId, seq), entriesFrom(seq, ["before"]));
    },
  },
  {
    name: "content.unknown-fields",
    says: "fields of a content that the server does not know are kept, byte for byte and in their positions",
    contract: "entry.proto: Entry.content",
    run: async (fixture) => {
      await survives(fixture, textContent("known", UNKNOWN_NUMBER, UNKNOWN_TEXT));
      await survives(fixture, Buffer.concat([UNKNOWN_NUMBER, textContent("known")]));
    },
  },
  {
    name: "content.compared",
    says: "a repeat must have the same bytes: another unknown field makes another content",
    contract: "docs/protocol.md: Sending once",
    run: async ({ ann, ben }) => {
      const id = ann.nextId();
      const target = toUser(ben.username);
      const { sendMessage } = ChatServiceService;
      const first = sendBytes(id, target, textContent("known", UNKNOWN_NUMBER));
      await ann.call(sendMessage, first);
      equal(
        "Ack.repeated_send of the same bytes",
        (await ann.call(sendMessage, first)).ack?.repeatedSend,
        true,
      );
      const other = sendBytes(id, target, textContent("known", UNKNOWN_TEXT));
      await refused(
        "other bytes under the same id",
        ann.call(sendMessage, other),
        "CLIENT_MESSAGE_ID_REUSED",
      );
    },
  },
  {
    name: "content.utf-8",
    says: "a text that is not UTF-8 is refused as UNDECODABLE, and nothing is stored",
    contract: "reason.proto: REASON_UNDECODABLE",
    run: async ({ ann, ben }) => {
      const { conversationId, seq } = await ann.send(ben, "before");
      const broken = lengthDelimited(1, Uint8Array.of(0x61, 0xff, 0x62));
      const send = sendBytes(ann.nextId(), toUser(ben.username), broken);
      await refused("a text with a byte FF", ann.call(ChatServiceService.sendMessage, send), "UNDECODABLE");
      equal("the log", await ann.log(conversationId, seq), entriesFrom(seq, ["before"]));
    },
  },
];

/** Asserts that a content sent on a stream arrives unchanged on a live stream, in a backlog and in the history. */
async function survives({ ann, ben }: Fixture, content: Uint8Array): Promise<void> {
  const { conversationId, seq } = await ann.send(ben, "before");
  const [reading, stream] = [await ben.connect({ cursors: [{ conversationId, seq }] }), await ann.connect()];
  const id = ann.nextId();
  stream.writeBytes(frameOf(sendBytes(id, toUser(ben.username), content)));
  await stream.acked(id);
  const isNew = ({ entry }: EventOf<"entryAppended">): boolean =>
    entry?.conversationId === conversationId && entry.seq === seq + 1n;
  await reading.next("entryAppended", isNew);
  const later = await ben.connect({ cursors: [{ conversationId, seq }] });
  for (const [what, one] of [
    ["the content on a live stream", reading],
    ["the content in a backlog", later],
  ] as const) {
    const entry = one.received.find(
      ({ event: { kind } }) => kind?.$case === "entryAppended" && isNew(kind.value),
    );
    equal(what, entry && contentOf(entry), hex(content));
  }
  const response = await ben.callForBytes(HistoryServiceService.listMessages, {
    target: toConversation(conversationId),
    fromSeq: seq + 1n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    pageSize: 0,
    pageToken: "",
    background: false,
  });
  equal("the content in the history", contentsOf(response), [hex(content)]);
}
