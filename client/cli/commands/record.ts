// parley record: writes a stream to a file, and prints its messages meanwhile.

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

/** The most cursors that servers accept in a Hello by default. */
const mostCursors = 1_000;

const flags = {
  send: toggle("Send each line of standard input, in JSON, as a frame of commands."),
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: ["FILE"],
  words: { least: 1, most: 1 },
  flags,
  about: [
    "Opens a stream that starts with new messages, prints messages as they arrive, and writes all frames in both " +
      "directions to a new file, for replay or any program that reads Protobuf. The file contains texts of messages and " +
      "names of users, but no password and no token, and only its user can read it. Check it before you pass it on.",
    "With --send, each line of standard input is sent as a frame, as in rpc Connect, and the end of the input ends the " +
      "recording. record sends the Hello itself, and adds a clientMessageId to a send without one. Without --send, the " +
      "recording continues until Ctrl-C or the end of the stream.",
  ],
  json: "Event, of every kind.",
  examples: ["bug.parley", "bug.parley --send < frames.jsonl"],
  run: async (call) => {
    const [path = ""] = call.words;
    using stop = stopSignal(call.environment);
    try {
      // With --send, a lost connection leaves it unknown whether the server executed the commands.
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

/** Starts with new entries. Other users see a recording, so it does not name this machine. */
function helloFrame(conversations: readonly KnownConversation[]): Uint8Array {
  const cursors = conversations.map(({ conversationId, headSeq }) => ({ conversationId, seq: headSeq }));
  const client = { ...clientInfo(), deviceName: "" };
  const hello = { client, features: [], cursors: cursors.slice(0, mostCursors), processId: "" };
  return ConnectRequest.encode({ commands: [{ kind: { $case: "hello", value: hello } }] }).finish();
}
