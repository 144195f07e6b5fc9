// Plays the frames that went up again: each when the answers before it have come, or at the pace at which they went.
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
  /** The recorded frame as this server understands it. */
  readonly translate: (frame: Uint8Array) => Uint8Array;
  /** Filled with what was recorded. */
  readonly recorded: Transcript;
  /** Filled with what comes. */
  readonly replayed: Transcript;
  /** 1 is the recorded pace, 2 twice as fast; undefined: as fast as the answers come. */
  readonly speed: number | undefined;
  /** How long an answer may take, ms. */
  readonly waitMs: number;
}

/** Resolves to how the stream ended; undefined where it had to be cut. @throws RpcError where the connection is lost */
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
  // A stream that the server ended for a reason is expected to end again by itself.
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

/** How it ended; an Error where that is not the server's word. */
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
