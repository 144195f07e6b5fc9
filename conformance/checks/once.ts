// Checks of the client message id, with which a repeated send is stored only once.

import { send, text, toUser } from "../client/commands.ts";
import { equal, isTrue } from "../client/expect.ts";
import { entriesFrom } from "../client/named.ts";
import { isRefused, refused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

const CLIENT_IDS_END = 2n ** 63n;

export const onceChecks: readonly Check[] = [
  {
    name: "once.repeated",
    says: "the same id with the same target and content gives the first answer again, by call and on any stream",
    contract: "docs/protocol.md: Sending once",
    run: async ({ ann, ben }) => {
      const stream = await ann.connect();
      const id = ann.nextId();
      const first = await ann.send(ben, "once", id);
      equal("Ack.repeated_send of the first answer", first.repeatedSend, false);
      const again = { ...first, repeatedSend: true };
      equal("the second SendMessage", await ann.send(ben, "once", id), again);
      stream.write(send(id, toUser(ben.username), text("once")));
      equal("the same send on a stream", await stream.acked(id), again);
      const onStream = ann.sendOn(stream, ben, ["once more"])[0] ?? 0n;
      const acked = await stream.acked(onStream);
      equal("a send of a stream, by a call", await ann.send(ben, "once more", onStream), {
        ...acked,
        repeatedSend: true,
      });
      const { conversationId, seq } = first;
      equal("the log", await ben.log(conversationId, seq), entriesFrom(seq, ["once", "once more"]));
      const shout = ann.nextId();
      const broadcast = await ann.broadcast("to all, once", shout);
      equal("the second Broadcast", await ann.broadcast("to all, once", shout), {
        ...broadcast,
        repeatedSend: true,
      });
    },
  },
  {
    name: "once.reused",
    says: "the same id with another content or target is refused as CLIENT_MESSAGE_ID_REUSED, and the first message stays",
    contract: "reason.proto: REASON_CLIENT_MESSAGE_ID_REUSED",
    run: async ({ ann, ben, cat }) => {
      const stream = await ann.connect();
      const id = ann.nextId();
      const first = await ann.send(ben, "the first", id);
      const reason = "CLIENT_MESSAGE_ID_REUSED";
      await refused("another content", ann.send(ben, "another", id), reason);
      await refused("another target", ann.send(cat, "the first", id), reason);
      await refused("a broadcast under the id of a message", ann.broadcast("the first", id), reason);
      stream.write(send(id, toUser(ben.username), text("another")));
      isRefused("another content on a stream", await stream.next("refused"), reason, { clientMessageId: id });
      const { conversationId, seq } = first;
      equal("the log", await ben.log(conversationId, seq), entriesFrom(seq, ["the first"]));
      equal("a repeat of the first send", await ann.send(ben, "the first", id), {
        ...first,
        repeatedSend: true,
      });
    },
  },
  {
    name: "once.ids",
    says: "ids are accepted in any order, up to 2^63-1; the server sets a missing id in a call, and refuses it on a stream",
    contract: "chat_service.proto: SendMessageRequest.client_message_id",
    run: async ({ logIn, ben }) => {
      const ann = await logIn("ann");
      for (const id of [CLIENT_IDS_END - 1n, 5n, 3n, 4n]) {
        const ack = await ann.send(ben, `under ${id}`, id);
        equal("Ack.client_message_id", ack.clientMessageId, id);
        equal(`Ack.repeated_send of ${id}`, ack.repeatedSend, false);
      }
      await refused("the id 2^63", ann.send(ben, "x", CLIENT_IDS_END), "INVALID_FIELD", {
        field: "client_message_id",
      });
      const set = [await ann.send(ben, "no id", 0n), await ann.send(ben, "no id", 0n)];
      for (const { clientMessageId } of set) {
        isTrue(
          "an id set by the server",
          clientMessageId >= CLIENT_IDS_END,
          "2^63 or above",
          clientMessageId,
        );
      }
      isTrue("two sends without an id", set[0]?.seq !== set[1]?.seq, "two entries", "one");
      const stream = await ann.connect();
      stream.write(send(0n, toUser(ben.username), text("no id")));
      isRefused("no id on a stream", await stream.next("refused"), "INVALID_FIELD", {
        field: "client_message_id",
      });
    },
  },
  {
    name: "once.per-device",
    says: "the ids of another device of the same user are separate",
    contract: "chat_service.proto: SendMessageRequest.client_message_id",
    run: async ({ ann, ben, logIn }) => {
      const id = ann.nextId();
      const first = await ann.send(ben, "from one device", id);
      const other = await logIn("ann");
      const second = await other.send(ben, "from another", id);
      equal("Ack.repeated_send on the other device", second.repeatedSend, false);
      const { conversationId, seq } = first;
      equal(
        "the log",
        await ben.log(conversationId, seq),
        entriesFrom(seq, ["from one device", "from another"]),
      );
    },
  },
];
