// parley replay: sends the frames of a recording again, and prints how the server's answers differ.

import { parseWait } from "../../../command-line/durations.ts";
import { type Flag, toggle } from "../../../command-line/flags.ts";
import { ConnectRequest, ConnectResponse } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Difference, Direction } from "../../../gen/parley/record/v1/recording.ts";
import { openRawCall } from "../../../rpc/dialling/raw-call.ts";
import { StrictReader } from "../../../rpc/wire/strict-reader.ts";
import type { SignedIn } from "../account/sign-in.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { Exit, type ExitCode, usage } from "../process/exit.ts";
import { differences } from "../recording/compare.ts";
import { ConversationNames, knownConversations } from "../recording/conversation-names.ts";
import { connectPath } from "../recording/method.ts";
import { play } from "../recording/play.ts";
import { RecordingError } from "../recording/recording-error.ts";
import { type Recording, readRecording } from "../recording/recording-reader.ts";
import { Transcript } from "../recording/transcript.ts";
import { translated } from "../recording/translate.ts";
import { unusedIds } from "../recording/unused-ids.ts";
import { line, type Styled } from "../terminal/text/style.ts";

const defaultWaitMs = 10_000;

const speed: Flag<number> = {
  value: "N",
  help: "1 keeps the recorded pace, 2 doubles it. Default: as fast as the answers arrive.",
  read: (given) => {
    const factor = /^\d+(?:\.\d+)?x?$/.test(given) ? Number.parseFloat(given) : 0;
    if (factor <= 0) throw usage(`"${given}" is not a speed. Write 1, 2 or 0.5.`);
    return factor;
  },
};

const flags = {
  speed,
  all: toggle("Compare all events, including those caused by other users."),
  wait: { value: "TIME", help: "How long an answer may take. Default: 10s.", read: parseWait },
  ...accountFlags,
} as const;

type ReplayCall = Call<typeof flags>;

export const command = defineCommand({
  forms: ["FILE"],
  words: { least: 1, most: 1 },
  flags,
  about: [
    "Sends the recorded messages again as the stored login, so use a server for tests. It sends each frame when the " +
      "answers that came before it in the recording have arrived. Then it compares the answers and the end of the stream " +
      "with those of the recording. It ignores ids, times and wording, and identifies conversations by the other user. " +
      "Events that other users caused do not happen again; --all compares them nevertheless.",
    "Exit code 0 says that there is no difference, 1 that there are some.",
  ],
  json: "Difference, one for each difference.",
  examples: ["bug.parley --server 127.0.0.1:12000", "bug.parley --speed 1 --json"],
  run: async (call) => {
    const [path = ""] = call.words;
    const recording = await checked(path);
    if (recording.end === undefined) call.output.notice(`${path} was cut off. It is replayed up to there.`);
    return withAccount(call, "changes", (signedIn) => replay(call, recording, signedIn));
  },
});

/** @throws UsageError if the file cannot be replayed */
async function checked(path: string): Promise<Recording> {
  try {
    const recording = await readRecording(path);
    const { header, frames } = recording;
    if (header.method !== connectPath)
      throw new RecordingError(
        `${path} has a call of ${header.method}, and only ${connectPath} can be replayed.`,
      );
    if (!frames.some(({ direction }) => direction === Direction.UP))
      throw new RecordingError(`${path} has no frames to send.`);
    for (const [index, { direction, message }] of frames.entries()) {
      const type = direction === Direction.UP ? ConnectRequest : ConnectResponse;
      try {
        type.decode(new StrictReader(message));
      } catch {
        throw new RecordingError(`${path} is broken: frame ${index + 1} is not a frame of ${connectPath}.`);
      }
    }
    return recording;
  } catch (error) {
    throw error instanceof RecordingError ? usage(error.message) : error;
  }
}

async function replay(
  call: ReplayCall,
  recording: Recording,
  { account, endpoint, token, profile }: SignedIn,
): Promise<ExitCode> {
  const { header, end } = recording;
  const all = call.values.all === true;
  const from = new ConversationNames(header.username, header.conversations);
  const to = new ConversationNames(profile.username, await knownConversations(account));
  const ids = new Map<bigint, bigint>();
  const nextId = unusedIds();
  const clientMessageId = (recorded: bigint): bigint => {
    const id = ids.get(recorded) ?? nextId();
    ids.set(recorded, id);
    return id;
  };
  const recorded = { transcript: new Transcript(header.username, from, all), end };
  const replayed = { transcript: new Transcript(profile.username, to, all), end };
  using raw = openRawCall(await endpoint.connect(), { path: connectPath, token });
  replayed.end = await play({
    recording,
    call: raw,
    translate: (frame) => translated(frame, { from, to, clientMessageId }),
    recorded: recorded.transcript,
    replayed: replayed.transcript,
    speed: call.values.speed,
    waitMs: call.values.wait ?? defaultWaitMs,
  });
  const found = differences(recorded, replayed);
  for (const difference of found) {
    const message = { typeName: "parley.record.v1.Difference", codec: Difference, value: difference };
    await call.output.result(message, lineOf(difference));
  }
  const count = `${recorded.transcript.answers} answers were compared`;
  call.output.notice(
    found.length === 0 ? `No difference: ${count}.` : `Differences: ${found.length}; ${count}.`,
  );
  return found.length === 0 ? Exit.DONE : Exit.REFUSED;
}

function lineOf({ subject, recorded, replayed }: Difference): Styled {
  const nothing = "nothing";
  return line`${subject}\n  recorded: ${recorded || nothing}\n  now:      ${replayed || nothing}`;
}
