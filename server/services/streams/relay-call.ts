// One call of Relay: its opening, the pieces that its device sends, and how it ends.
import { setTimeout as sleep } from "node:timers/promises";
import type { RelayRequest } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { FrameReader } from "../../../rpc/calls/handler.ts";
import type { Outbox } from "../../../rpc/calls/outbox.ts";
import type { Identities } from "../../auth/identities.ts";
import type { ActiveSession } from "../../auth/sessions.ts";
import { limits } from "../../limits.ts";
import type { RelayHalf } from "../../private/relay-half.ts";
import type { Relays } from "../../private/relays.ts";
import { Refusal } from "../../reasons.ts";
import { untilAborted } from "../calls/session-calls.ts";

export interface RelayParts {
  /** Undefined: this server relays nothing. */
  readonly relays: Relays | undefined;
  readonly identities: Identities;
}

export interface RelayCall {
  readonly frames: FrameReader<RelayRequest>;
  /** Its frames are single pieces. */
  readonly outbox: Outbox;
  /** Aborted, with the reason, when the call has to end. */
  readonly signal: AbortSignal;
}

/** Returns where the device has closed its side; throws the ending otherwise. */
export async function relay(
  { row, bucket }: ActiveSession,
  { frames, outbox, signal }: RelayCall,
  { relays, identities }: RelayParts,
): Promise<void> {
  if (relays === undefined) {
    throw new Refusal(Reason.PRIVATE_CHAT_UNAVAILABLE, {
      message: "This server relays no private chats: they need a direct path.",
    });
  }
  const introductionId = await readOpening(frames, signal);
  await identities.ownDevice(row.deviceId);
  signal.throwIfAborted();
  using half = relays.enter(row, introductionId, outbox);
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  try {
    const pieces = readPieces(frames, half, bucket, until).then(() => undefined);
    const ending = await Promise.race([half.ended, pieces, untilAborted(signal)]);
    if (ending === undefined) return;
    stop.abort();
    // What the other device sent before it left is still this one's.
    if (ending.reason === Reason.RELAY_PEER_GONE) await flush(outbox, signal);
    throw ending;
  } finally {
    stop.abort();
  }
}

/** Waits until the device has taken what is queued for it, or the time is over. @throws the signal's reason */
async function flush(outbox: Outbox, signal: AbortSignal): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, limits.relayFlushMs);
  try {
    await Promise.race([outbox.whenFlushed(), untilAborted(signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws Refusal INVALID_FIELD */
async function readOpening(frames: FrameReader<RelayRequest>, signal: AbortSignal): Promise<string> {
  const late = AbortSignal.timeout(limits.relayOpeningMs);
  const first = frames.next(AbortSignal.any([signal, late])).catch((error: unknown) => {
    if (late.aborted && !signal.aborted) return undefined;
    throw error;
  });
  const kind = (await first)?.kind;
  if (kind?.$case === "opening") return kind.value.introductionId;
  throw new Refusal(Reason.INVALID_FIELD, {
    field: "opening",
    message: "The opening comes first, and within 5 seconds.",
  });
}

/** Returns when the device has closed its side. @throws Refusal for what may not be sent */
async function readPieces(
  frames: FrameReader<RelayRequest>,
  half: RelayHalf,
  bucket: ActiveSession["bucket"],
  signal: AbortSignal,
): Promise<void> {
  for (let frame = await frames.next(signal); frame !== undefined; frame = await frames.next(signal)) {
    for (let wait = bucket.take(1); wait > 0; wait = bucket.take(1)) await sleep(wait, undefined, { signal });
    signal.throwIfAborted();
    switch (frame.kind?.$case) {
      case "data":
        await half.accept(frame.kind.value);
        break;
      case "opening":
        throw new Refusal(Reason.INVALID_FIELD, { field: "opening", message: "The opening comes once." });
      default:
        throw new Refusal(Reason.UNSUPPORTED_COMMAND);
    }
  }
}
