// parley record: keeps a stream in a file, as it comes, and shows it meanwhile.

import { toggle } from "../../../command-line/flags.ts";
import { packageVersion } from "../../../command-line/package-files.ts";
import { ConnectRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { KnownConversation } from "../../../gen/parley/record/v1/recording.ts";
import { openRawCall } from "../../../rpc/dialling/raw-call.ts";
import { clientInfo } from "../account/sign-in.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { CommandError, Exit } from "../process/exit.ts";
import { stopSignal } from "../process/stop-signal.ts";
import { knownConversations } from "../recording/conversation-names.ts";
import { connectPath } from "../recording/method.ts";
import { Recorder } from "../recording/recorder.ts";
import { RecordingError } from "../recording/recording-error.ts";
import { RecordingWriter } from "../recording/recording-writer.ts";

/** What servers take in a Hello, unless they are told to take less. */
const mostCursors = 1_000;

const flags = {
  send: toggle("Send each line of standard input as a frame of commands, in JSON."),
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: ["FILE"],
  words: { least: 1, most: 1 },
  flags,
  about: [
    "Opens a stream from what is new on, prints messages as they come, and writes everything that goes up and comes " +
      "down into a new file, for replay or any program that reads Protobuf. The file holds the texts of messages and " +
      "the names of people, and no password and no token; only its user can read it. Look into it before you hand it on.",
    "With --send, each line of standard input goes up as a frame, as in rpc Connect, and its end ends the recording; " +
      "Hello goes by itself, and a send without clientMessageId gets one. Without, it goes on until Ctrl-C or the end of the stream.",
  ],
  json: "Event, of every kind.",
  examples: ["bug.parley", "bug.parley --send < frames.jsonl"],
  run: async (call) => {
    const [path = ""] = call.words;
    using stop = stopSignal(call.environment);
    try {
      // With --send, what went up may have been done or not.
      const effect = call.values.send === true ? "changes" : "reads";
      await withAccount(call, effect, async ({ account, endpoint, token, profile }) => {
        const conversations = await knownConversations(account);
        const dialled = await endpoint.connect();
        await using writer = await RecordingWriter.create(path, {
          method: connectPath,
          startTime: new Date(),
          program: `parley ${packageVersion()}`,
          username: profile.username,
          conversations,
        });
        using stream = openRawCall(dialled, { path: connectPath, token });
        const signal = AbortSignal.any([stop.signal, call.output.gone]);
        const recorder = new Recorder({ stream, writer, output: call.output, signal });
        const input = call.values.send === true ? call.environment.stdin : undefined;
        try {
          await recorder.run(helloFrame(conversations), input);
        } finally {
          call.output.notice(`Recorded ${recorder.frames} frames in ${path}.`);
        }
      });
    } catch (error) {
      throw error instanceof RecordingError ? new CommandError(Exit.REFUSED, error.message) : error;
    }
    return undefined;
  },
});

/** From what is new on. The name of this machine is nobody's business. */
function helloFrame(conversations: readonly KnownConversation[]): Uint8Array {
  const cursors = conversations.map(({ conversationId, headSeq }) => ({ conversationId, seq: headSeq }));
  const client = { ...clientInfo(), deviceName: "" };
  const hello = { client, features: [], cursors: cursors.slice(0, mostCursors), processId: "" };
  return ConnectRequest.encode({ commands: [{ kind: { $case: "hello", value: hello } }] }).finish();
}
