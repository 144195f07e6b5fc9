// The transcript "commands": every command of a client, with boundary values.
import { type Command, ConnectRequest, type Target } from "../../gen/parley/chat/v1/chat_service.ts";
import { everyone, text, withLuke } from "./people.ts";
import type { Transcript } from "./transcript.ts";

const toLuke: Target = { target: { $case: "username", value: "luke" } };
const conversation: Target = { target: { $case: "conversationId", value: withLuke } };

function commands(...kinds: Command["kind"][]): Uint8Array {
  return ConnectRequest.encode({ commands: kinds.map((kind) => ({ kind })) }).finish();
}

export const commandsTranscript: Transcript = {
  name: "commands",
  frames: [
    commands({ $case: "hello", value: { client: undefined, features: [], cursors: [], processId: "" } }),
    commands({
      $case: "hello",
      value: {
        client: { name: "a client", version: "1.2.3", deviceName: "你好" },
        features: [3, 1, 2],
        cursors: [
          { conversationId: everyone, seq: 0n },
          { conversationId: withLuke, seq: 18_446_744_073_709_551_615n },
        ],
        processId: "",
      },
    }),
    commands(
      { $case: "sendMessage", value: { clientMessageId: 1n, target: toLuke, content: text("hi") } },
      {
        $case: "sendMessage",
        value: {
          clientMessageId: 9_223_372_036_854_775_807n,
          target: conversation,
          content: text("\u001b[2J e\u0301 \u{1F468}\u200D\u{1F469}"),
        },
      },
      { $case: "broadcast", value: { clientMessageId: 2n, content: text("to all") } },
    ),
    commands({
      $case: "setMarkers",
      value: {
        markers: [
          {
            conversationId: withLuke,
            deliveredSeq: 300n,
            readSeq: 0n,
            deliveredTime: undefined,
            readTime: undefined,
          },
          {
            conversationId: everyone,
            deliveredSeq: 0n,
            readSeq: 128n,
            deliveredTime: undefined,
            readTime: undefined,
          },
        ],
      },
    }),
    commands(
      { $case: "setTyping", value: { target: toLuke, typing: true } },
      { $case: "setTyping", value: { target: conversation, typing: false } },
      { $case: "reportActivity", value: {} },
    ),
    commands(
      { $case: "leave", value: { processId: "" } },
      { $case: "leave", value: { processId: "a program" } },
    ),
    commands(),
  ],
  outcome: undefined,
};
