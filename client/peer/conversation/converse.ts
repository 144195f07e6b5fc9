// Both ends of the Converse call: the exchange of openings, then a stream of signals each way.
import {
  type Opening,
  PeerServiceService,
  Reason,
  Signal,
} from "../../../gen/parley/peer/v1/peer_service.ts";
import { strictDefinition } from "../../../rpc/calls/decode.ts";
import { implementService, type Service } from "../../../rpc/calls/handler.ts";
import { openBidi } from "../../../rpc/dialling/client-stream.ts";
import type { PeerChannel } from "../../../rpc/peers/peer-dial.ts";
import { type CallerConnection, peerLimits } from "../../../rpc/peers/peer-listener.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { waitFor } from "../../../time/wait.ts";
import { conversationLimits } from "./line-rules.ts";
import { refusal } from "./refusals.ts";
import type { SignalStream } from "./signal-stream.ts";

const KiB = 1024;
/** The most that is buffered for a peer that reads nothing. */
const outboxOptions = {
  softBytes: 256 * KiB,
  hardBytes: 2048 * KiB,
  maxFrameBytes: 32 * KiB,
  maxFramePieces: conversationLimits.signalsPerFrame,
};
/** The most fields in one request: a signal has up to 7. */
const MOST_FIELDS = 16 * conversationLimits.signalsPerFrame;
/** How long the peer may take to send its Opening, ms. */
const OPENING_MS = 10_000;

const { converse } = strictDefinition(PeerServiceService);

/**
 * Calls the peer and exchanges openings. The channel is closed with the stream.
 * @param signal cancels the call
 * @throws RpcError if the peer refuses, does not answer in time, or answers for another introduction
 */
export async function openConverse(
  dialled: PeerChannel,
  opening: Opening,
  signal?: AbortSignal,
): Promise<SignalStream> {
  const call = openBidi(dialled, converse, undefined, outboxOptions);
  const write = (signal: Uint8Array): void => call.outbox.push(lengthDelimited(1, signal));
  const hangUp = (): void => {
    call[Symbol.dispose]();
    dialled[Symbol.dispose]();
  };
  write(openingSignal(opening));
  const frames = call[Symbol.asyncIterator]();
  try {
    const first = await waitFor(frames.next(), { ms: OPENING_MS, signal });
    if (first.status !== "done" || signal?.aborted === true)
      throw refusal(Reason.PEER_GONE, "The other device did not answer.");
    const answer = readOpening(first.value.done === true ? undefined : first.value.value.signals);
    if (answer.introductionId !== opening.introductionId)
      throw refusal(Reason.INTRODUCTION_INVALID, "The other device has answered for another introduction.");
  } catch (error) {
    hangUp();
    throw error;
  }
  return {
    write,
    get isCongested() {
      return call.outbox.aboveSoft;
    },
    drained: () => call.outbox.whenBelowSoft(),
    get broken() {
      return dialled.broken;
    },
    signals: signalsOf(frames),
    close: () => call.end(),
    peerEndsCall: true,
    abort: hangUp,
  };
}

/** What is done for one caller. */
export interface ConverseOptions {
  /** Checks the caller's opening and returns the answering one. @throws RpcError to refuse it */
  admit(opening: Opening): Opening;
  /** Runs the conversation; resolves when it has ended. */
  converse(stream: SignalStream): Promise<void>;
  /** The caller's connection. It is closed when the conversation ends, or when an opening was refused. */
  readonly connection: CallerConnection;
  onError(error: unknown): void;
}

/** The PeerService for one caller. */
export function converseService({ admit, converse: run, connection, onError }: ConverseOptions): Service {
  // A second call on the connection is refused, and must not end the conversation of the first one.
  let hasConversation = false;
  return implementService(
    PeerServiceService,
    {
      converse: async (frames, outbox, call) => {
        let isConversation = false;
        try {
          const deadline = performance.now() + OPENING_MS;
          const first = await waitFor(frames.next(), { ms: OPENING_MS });
          const answer = admit(readOpening(first.status === "done" ? first.value?.signals : undefined));
          isConversation = true;
          hasConversation = true;
          const write = (signal: Uint8Array): void => outbox.push(lengthDelimited(1, signal));
          write(openingSignal(answer));
          // The opening must be alone in its frame, so it is flushed before anything else is written.
          const flushed = await waitFor(outbox.whenFlushed(), {
            ms: Math.max(0, deadline - performance.now()),
          });
          if (flushed.status !== "done") throw callerReadsNothing();
          let why: RpcError | undefined;
          const aborted = Promise.withResolvers<void>();
          const stream: SignalStream = {
            write,
            get isCongested() {
              return outbox.aboveSoft || outbox.closed;
            },
            drained: () => outbox.whenBelowSoft(),
            get broken() {
              return connection.broken;
            },
            signals: signalsOf(frames[Symbol.asyncIterator]()),
            close: () => outbox.whenFlushed(),
            peerEndsCall: false,
            abort: (cause) => {
              why = cause;
              aborted.resolve();
            },
          };
          outbox.onOverflow(() => stream.abort(callerReadsNothing()));
          await Promise.race([run(stream), aborted.promise]);
          if (why !== undefined && !call.signal.aborted) throw why;
        } finally {
          if (isConversation || !hasConversation) connection.end();
        }
      },
    },
    { onError, outbox: outboxOptions, bounds: { bytes: peerLimits.messageBytes, fields: MOST_FIELDS } },
  );
}

function callerReadsNothing(): RpcError {
  return refusal(Reason.PEER_GONE, "The caller does not read what it is sent.");
}

function openingSignal(value: Opening): Uint8Array {
  return Signal.encode({ kind: { $case: "opening", value } }).finish();
}

/** @throws RpcError OPENING_EXPECTED */
function readOpening(signals: readonly Signal[] | undefined): Opening {
  const [first, ...others] = signals ?? [];
  if (first?.kind?.$case !== "opening" || others.length > 0) {
    throw refusal(
      Reason.OPENING_EXPECTED,
      "The first frame must have an Opening and nothing else, and must arrive in time.",
    );
  }
  const { clientName, clientVersion } = first.kind.value;
  for (const text of [clientName, clientVersion]) {
    if (Buffer.byteLength(text) > 64) {
      throw refusal(
        Reason.INVALID_FIELD,
        "The name and the version of the client may have at most 64 bytes each.",
      );
    }
  }
  return first.kind.value;
}

async function* signalsOf(
  frames: AsyncIterator<{ signals: Signal[] }>,
): AsyncGenerator<readonly Signal[], void, void> {
  for (let next = await frames.next(); next.done !== true; next = await frames.next())
    yield next.value.signals;
}
