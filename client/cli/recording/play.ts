// Sends the recorded frames again: each one once the answers before it have arrived, or at the recorded pace.
import { ConnectResponse } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Direction, type End, type Frame } from "../../../gen/parley/record/v1/recording.ts";
import type { RawCall } from "../../../rpc/dialling/raw-call.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { delay } from "../../../time/wait.ts";
import { isAnswer } from "./compare.ts";
import { Progress } from "./progress.ts";
import type { Recording } from "./recording-reader.ts";
import type { Transcript } from "./transcript.ts";

export interface Play {
  readonly recording: Recording;
  readonly call: RawCall;
  /** Translates a recorded frame for this server. */
  readonly translate: (frame: Uint8Array) => Uint8Array;
  /** Receives the recorded events. */
  readonly recorded: Transcript;
  /** Receives the events of the replay. */
  readonly replayed: Transcript;
  /** 1 is the recorded pace, and 2 is twice as fast; undefined: send as fast as the answers arrive. */
  readonly speed: number | undefined;
  /** How long an answer may take, ms. */
  readonly waitMs: number;
}

/**
 * Resolves to the end of the stream; undefined if the server did not end it in time.
 * @throws RpcError if the connection is lost
 */
export async function play(parts: Play): Promise<End | undefined> {
  const { recording, call, recorded, replayed, waitMs } = parts;
  const progress = new Progress();
  let end: End | Error | undefined;
  const reading = read(call, replayed, progress).then((result) => {
    end = result;
    progress.notify();
  });
  const answered = (): boolean => replayed.answers >= recorded.answers || end !== undefined;
  const ended = (): boolean => end !== undefined;
  const start = performance.now();
  for (const frame of recording.frames) {
    if (frame.direction === Direction.DOWN) takeAll(frame.message, recorded);
    if (frame.direction !== Direction.UP) continue;
    if (parts.speed === undefined) await progress.until(answered, waitMs);
    else await sleepUntil(start + offsetMs(frame) / parts.speed);
    const translated = parts.translate(frame.message);
    recorded.sent(frame.message);
    replayed.sent(translated);
    await call.write(translated);
  }
  await progress.until(answered, waitMs);
  // If the server ended the recorded stream for a reason, it is expected to end this one too.
  const endsByItself = isAnswer(recording.end) && recording.end.code !== 0;
  if (!endsByItself || !(await progress.until(ended, waitMs))) call.end();
  if (!(await progress.until(ended, waitMs))) {
    call[Symbol.dispose]();
    await reading;
    return undefined;
  }
  if (end instanceof Error) throw end;
  return end;
}

/** The end of the stream; an Error if the server did not end it. */
async function read(call: RawCall, transcript: Transcript, progress: Progress): Promise<End | Error> {
  try {
    for await (const frame of call) {
      takeAll(frame, transcript);
      progress.notify();
    }
    return { code: 0, reason: "", message: "", offset: undefined };
  } catch (error) {
    if (!(error instanceof RpcError) || error.reason === "")
      return error instanceof Error ? error : new Error(String(error));
    const { code, reason, message } = error;
    return { code, reason, message, offset: undefined };
  }
}

function takeAll(frame: Uint8Array, transcript: Transcript): void {
  for (const event of ConnectResponse.decode(frame).events) transcript.take(event);
}

function offsetMs({ offset }: Frame): number {
  return offset === undefined ? 0 : Number(offset.seconds) * 1000 + offset.nanos / 1_000_000;
}

async function sleepUntil(time: number): Promise<void> {
  await delay(Math.max(0, time - performance.now()));
}
