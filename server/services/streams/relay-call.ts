// Serves one call of Relay: its opening, the pieces that its device sends, and its end.
import type { RelayRequest } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { FrameReader } from "../../../rpc/calls/handler.ts";
import type { Outbox } from "../../../rpc/calls/outbox.ts";
import type { Clock, Timer } from "../../../time/clock.ts";
import { delay, waitFor } from "../../../time/wait.ts";
import type { Identities } from "../../auth/identities.ts";
import type { ActiveSession } from "../../auth/sessions.ts";
import { limits } from "../../limits.ts";
import type { RelayHalf } from "../../private/relay-half.ts";
import type { Relays } from "../../private/relays.ts";
import { Refusal } from "../../reasons.ts";
import { endingOf } from "../calls/session-calls.ts";

export interface RelayParts {
  /** The open relays; undefined if this server offers no relay. */
  readonly relays: Relays | undefined;
  readonly identities: Identities;
  readonly clock: Clock;
}

export interface RelayCall {
  readonly frames: FrameReader<RelayRequest>;
  /** The outbox of the call, which makes each piece a separate frame. */
  readonly outbox: Outbox;
  /** Aborted with the reason when the call has to end. */
  readonly signal: AbortSignal;
}

/** Serves the call, and returns if the device half-closed it. @throws the ending otherwise */
export async function relay(
  { row, bucket }: ActiveSession,
  { frames, outbox, signal }: RelayCall,
  { relays, identities, clock }: RelayParts,
): Promise<void> {
  if (relays === undefined) {
    throw new Refusal(Reason.PRIVATE_CHAT_UNAVAILABLE, {
      message: "This server does not relay private chats. Use a direct path.",
    });
  }
  const introductionId = await readOpening(frames, signal);
  await identities.ownDevice(row.deviceId);
  signal.throwIfAborted();
  using half = relays.enter(row, introductionId, outbox);
  using over = new AfterGoodbye(signal, () => half.isJoined, clock);
  const stop = new AbortController();
  const until = AbortSignal.any([over.signal, stop.signal]);
  try {
    const pieces = readPieces(frames, half, bucket, until).then(() => undefined);
    const ended = await waitFor(Promise.race([half.ended, pieces]), { signal: over.signal });
    if (ended.status !== "done") throw endingOf(signal);
    const ending = ended.value;
    if (ending === undefined) return;
    stop.abort();
    // The device still receives the bytes that the peer sent before it left.
    if (ending.reason === Reason.RELAY_PEER_GONE) {
      const flushed = await waitFor(outbox.whenFlushed(), { ms: limits.relayFlushMs, signal: over.signal });
      if (flushed.status === "aborted") throw endingOf(signal);
    }
    throw ending;
  } finally {
    stop.abort();
  }
}

/**
 * Aborted when the call has to end. The relay of a session that has ended stays open for a moment: the device learns from
 * its stream that the session has ended, and says goodbye to its peer with the reason.
 */
class AfterGoodbye implements Disposable {
  readonly #call: AbortSignal;
  readonly #isJoined: () => boolean;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #timer: Timer | undefined;

  constructor(call: AbortSignal, isJoined: () => boolean, clock: Clock) {
    this.#call = call;
    this.#isJoined = isJoined;
    this.#clock = clock;
    call.addEventListener("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#call.reason;
    const isSessionOver =
      reason instanceof Refusal &&
      (reason.reason === Reason.SESSION_ENDED || reason.reason === Reason.SESSION_TIMED_OUT);
    if (isSessionOver && this.#isJoined())
      this.#timer = this.#clock.after(limits.relayGoodbyeMs, () => this.#over.abort());
    else this.#over.abort();
  };

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#call.removeEventListener("abort", this.#onAbort);
  }
}

/** @throws Refusal INVALID_FIELD */
async function readOpening(frames: FrameReader<RelayRequest>, signal: AbortSignal): Promise<string> {
  const first = await waitFor(frames.next(signal), { ms: limits.relayOpeningMs });
  const kind = first.status === "done" ? first.value?.kind : undefined;
  if (kind?.$case === "opening") return kind.value.introductionId;
  throw new Refusal(Reason.INVALID_FIELD, {
    field: "opening",
    message: "The first message must be the opening, within 5 seconds.",
  });
}

/** Forwards pieces until the device half-closes the call. @throws Refusal for a message that is not allowed */
async function readPieces(
  frames: FrameReader<RelayRequest>,
  half: RelayHalf,
  bucket: ActiveSession["bucket"],
  signal: AbortSignal,
): Promise<void> {
  for (let frame = await frames.next(signal); frame !== undefined; frame = await frames.next(signal)) {
    for (let wait = bucket.take(1); wait > 0; wait = bucket.take(1)) {
      await delay(wait, signal);
      signal.throwIfAborted();
    }
    signal.throwIfAborted();
    switch (frame.kind?.$case) {
      case "data":
        await half.accept(frame.kind.value);
        break;
      case "opening":
        throw new Refusal(Reason.INVALID_FIELD, {
          field: "opening",
          message: "The opening must be sent only once.",
        });
      default:
        throw new Refusal(Reason.UNSUPPORTED_COMMAND);
    }
  }
}
