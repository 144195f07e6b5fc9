// Tests that the hand-written encoding equals that of the generated encoders, for any values.
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConnectResponse } from "../../../gen/parley/chat/v1/chat_service.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import { Content } from "../../../gen/parley/chat/v1/entry.ts";
import { ListMessagesResponse } from "../../../gen/parley/chat/v1/history_service.ts";
import { encodeAck, encodeEntryAppended, encodeHistoryEntry, toAck } from "../../../server/chat/encoding.ts";

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
// Times before 1970-01-01T00:00:01Z are not supported.
const time = fc.oneof(fc.constant(1000), fc.integer({ min: 1000, max: 8_000_000_000_000 }));
const user = fc.record({
  userId: id,
  username: fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }),
});

test("encodeAck equals the generated encoder", () => {
  const clientMessageId = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(
      fc.record({ clientMessageId, conversationId: id, seq: id, time, withheld: fc.boolean() }),
      (send) => {
        const expected = ConnectResponse.encode({
          events: [{ kind: { $case: "ack", value: toAck(send, false) } }],
        }).finish();
        expect(Buffer.from(encodeAck(send)).toString("hex")).toBe(Buffer.from(expected).toString("hex"));
      },
    ),
    { numRuns: 2000 },
  );
});

test("the encodings of an entry on a stream and in the history equal the generated encoders", () => {
  const stored = fc.record({
    conversationId: id,
    seq: id,
    senderId: id,
    time,
    text: fc.string({ maxLength: 300, unit: "grapheme" }),
  });
  fc.assert(
    fc.property(stored, user, fc.option(user, { nil: undefined }), ({ text, ...row }, sender, recipient) => {
      const content = { kind: { $case: "text", value: text } } as const;
      const kind = recipient === undefined ? "broadcast" : "direct";
      const entry = {
        ...row,
        kind,
        recipientId: recipient?.userId,
        content: Content.encode(content).finish(),
      } as const;
      const expected = {
        conversationId: `c${row.conversationId}`,
        seq: BigInt(row.seq),
        kind: recipient === undefined ? ConversationKind.BROADCAST : ConversationKind.DIRECT,
        sender: { userId: `u${sender.userId}`, username: sender.username },
        recipient: recipient && { userId: `u${recipient.userId}`, username: recipient.username },
        sendTime: new Date(row.time),
        content,
      };
      const live = ConnectResponse.encode({
        events: [{ kind: { $case: "entryAppended", value: { entry: expected } } }],
      }).finish();
      const users = { sender, recipient };
      expect(Buffer.from(encodeEntryAppended(entry, users)).toString("hex")).toBe(
        Buffer.from(live).toString("hex"),
      );
      const history = ListMessagesResponse.encode({
        items: [{ item: { $case: "entry", value: expected } }],
        nextPageToken: "",
        conversationId: "",
        headSeq: 0n,
      }).finish();
      expect(Buffer.from(encodeHistoryEntry(entry, users)).toString("hex")).toBe(
        Buffer.from(history).toString("hex"),
      );
    }),
    { numRuns: 1000 },
  );
});
