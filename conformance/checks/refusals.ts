// Checks of refusals: an invalid command is refused in a call and on a stream with the same reason, status and details.
// Nothing is stored, and the stream stays open.
import { ChatServiceService, type Command, type Target } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import {
  broadcast,
  marker,
  send,
  setMarkers,
  setTyping,
  text,
  toConversation,
  toUser,
} from "../client/commands.ts";
import { equal } from "../client/expect.ts";
import { entriesFrom } from "../client/named.ts";
import { isRefused, type ReasonName, refused } from "../client/reasons.ts";
import type { Check, Fixture } from "./check.ts";

interface Wrong {
  readonly what: string;
  readonly command: (id: bigint) => Command;
  /** Whether the command is a send, so that Refused contains its client message id. */
  readonly isSend: boolean;
  readonly reason: ReasonName;
  readonly field: string;
  readonly conversationId?: string;
}

export const refusalChecks: readonly Check[] = [
  {
    name: "refusals.by-call",
    says: "an invalid unary call is refused with its reason, its status, and the invalid field in the details",
    contract: "docs/errors.md: Where to find the reason",
    run: async (fixture) => {
      const { ann, ben } = fixture;
      const { conversationId, seq } = await ann.send(ben, "before");
      for (const { what, command, reason, field } of wrongCommands(fixture, conversationId, seq)) {
        await refused(what, callTwin(fixture, command(ann.nextId())), reason, { field });
      }
      equal("the log after the refusals", await ann.log(conversationId, seq), entriesFrom(seq, ["before"]));
    },
  },
  {
    name: "refusals.on-a-stream",
    says: "an invalid command is answered by Refused with the same reason; nothing is stored, and the stream stays open",
    contract: "event.proto: Refused",
    run: async (fixture) => {
      const { ann, ben } = fixture;
      const { conversationId, seq } = await ann.send(ben, "before");
      const stream = await ann.connect();
      for (const wrong of wrongCommands(fixture, conversationId, seq)) {
        const id = ann.nextId();
        stream.write(wrong.command(id));
        const event = await stream.next("refused", undefined, `Refused for ${wrong.what}`);
        isRefused(wrong.what, event, wrong.reason, {
          field: wrong.field,
          clientMessageId: wrong.isSend ? id : 0n,
          conversationId: wrong.conversationId ?? "",
        });
      }
      await stream.acked(ann.sendOn(stream, ben, ["after"])[0] ?? 0n);
      const expected = entriesFrom(seq, ["before", "after"]);
      equal("the log after the refusals", await ann.log(conversationId, seq), expected);
    },
  },
];

function wrongCommands({ ann, ben, welcome }: Fixture, conversationId: string, seq: bigint): Wrong[] {
  const to = (target: Target | undefined, content: Content) => (id: bigint) => send(id, target, content);
  const known = toUser(ben.username);
  const hello = text("hello");
  const byName = { isSend: true, field: "target.username" };
  return [
    {
      what: "a send to an unknown user",
      command: to(toUser("nobody at all"), hello),
      reason: "USER_NOT_FOUND",
      ...byName,
    },
    {
      what: "a send to a name in the wrong case",
      command: to(toUser(ben.username.toUpperCase()), hello),
      reason: "USER_NOT_FOUND",
      ...byName,
    },
    {
      what: "a send to oneself",
      command: to(toUser(ann.username), hello),
      reason: "RECIPIENT_IS_SELF",
      ...byName,
    },
    {
      what: "a send without a target",
      command: to(undefined, hello),
      reason: "INVALID_FIELD",
      field: "target",
      isSend: true,
    },
    {
      what: "a send to an unknown conversation",
      command: to(toConversation("no-such-one"), hello),
      reason: "CONVERSATION_NOT_FOUND",
      field: "target.conversation_id",
      isSend: true,
      conversationId: "no-such-one",
    },
    {
      what: "an empty text",
      command: to(known, text("")),
      reason: "CONTENT_EMPTY",
      field: "content.text",
      isSend: true,
    },
    {
      what: "a content without a kind",
      command: to(known, { kind: undefined }),
      reason: "CONTENT_EMPTY",
      field: "content",
      isSend: true,
    },
    {
      what: "a text with a NUL",
      command: to(known, text("a\0b")),
      reason: "INVALID_FIELD",
      field: "content.text",
      isSend: true,
    },
    {
      what: "an empty broadcast",
      command: (id) => broadcast(id, text("")),
      reason: "CONTENT_EMPTY",
      field: "content.text",
      isSend: true,
    },
    {
      what: "an empty list of markers",
      command: () => setMarkers(),
      reason: "INVALID_FIELD",
      field: "markers",
      isSend: false,
    },
    {
      what: "two markers for one conversation",
      command: () => setMarkers(marker(conversationId, 0n), marker(conversationId, 0n)),
      reason: "INVALID_FIELD",
      field: "markers",
      isSend: false,
    },
    {
      what: "a marker beyond the head",
      command: () => setMarkers(marker(conversationId, seq + 1n)),
      reason: "MARKER_BEYOND_HEAD",
      field: "markers[0]",
      isSend: false,
      conversationId,
    },
    {
      what: "a marker of an unknown conversation",
      command: () => setMarkers(marker("no-such-one", 0n)),
      reason: "CONVERSATION_NOT_FOUND",
      field: "markers[0].conversation_id",
      isSend: false,
      conversationId: "no-such-one",
    },
    {
      what: "typing to an unknown user",
      command: () => setTyping(toUser("nobody at all")),
      reason: "USER_NOT_FOUND",
      field: "target.username",
      isSend: false,
    },
    {
      what: "typing to everyone",
      command: () => setTyping(toConversation(welcome.broadcastConversationId)),
      reason: "INVALID_FIELD",
      field: "target",
      isSend: false,
      conversationId: welcome.broadcastConversationId,
    },
  ];
}

/** Makes the unary call that corresponds to a command of a stream. */
function callTwin({ ann }: Fixture, { kind }: Command): Promise<unknown> {
  switch (kind?.$case) {
    case "sendMessage":
      return ann.call(ChatServiceService.sendMessage, kind.value);
    case "broadcast":
      return ann.call(ChatServiceService.broadcast, kind.value);
    case "setMarkers":
      return ann.call(ChatServiceService.setMarkers, kind.value);
    case "setTyping":
      return ann.call(ChatServiceService.setTyping, kind.value);
    default:
      return Promise.reject(new Error("This command has no unary twin."));
  }
}
