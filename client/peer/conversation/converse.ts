// The Converse call as both ends have it: opened, answered, and from then on a stream of signals in each direction.
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
import type { CallerConnection } from "../../../rpc/peers/peer-listener.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { after, whenAborted } from "../../link/waiting.ts";
import { conversationLimits } from "./private-conversation.ts";
import { refusal } from "./refusals.ts";
import type { SignalStream } from "./signal-stream.ts";

const KiB = 1024;
/** A peer that takes nothing fills this and no more. */
const outboxOptions = {
  softBytes: 256 * KiB,
  hardBytes: 2048 * KiB,
  maxFrameBytes: 32 * KiB,
  maxFramePieces: conversationLimits.signalsPerFrame,
};
/** How long the other end may take for its Opening, ms. */
const OPENING_MS = 10_000;

const { converse } = strictDefinition(PeerServiceService);

/**
 * Calls, and opens the conversation. The channel goes with the stream.
 * @param signal gives it up
 * @throws RpcError where the other end refuses, or does not answer in time
 */
export async function openConverse(
  dialled: PeerChannel,
  opening: Opening,
  signal: AbortSignal = new AbortController().signal,
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
    using late = after(OPENING_MS);
    using stopped = whenAborted(signal);
    const first = await Promise.race([frames.next(), late.promise, stopped.promise]);
    if (first === undefined || signal.aborted)
      throw refusal(Reason.PEER_GONE, "The other device did not answer.");
    readOpening(first.done === true ? undefined : first.value.signals);
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
    endsThere: true,
    abort: hangUp,
  };
}

/** Whoever answers a conversation. */
export interface Answering {
  /** Checks the opening. @throws RpcError where it is to be refused */
  admit(opening: Opening): Opening;
  /** Has the conversation; it is over when this resolves. */
  converse(stream: SignalStream): Promise<void>;
  /** The connection that the caller came over. It ends with the conversation, or with an opening that is refused. */
  readonly connection: CallerConnection;
  onError(error: unknown): void;
}

/** PeerService for one caller. */
export function converseService({ admit, converse: talk, connection, onError }: Answering): Service {
  // Beside it another call may come, and be refused, without harm to it.
  let hasConversation = false;
  return implementService(
    PeerServiceService,
    {
      converse: async (frames, outbox, call) => {
        let isConversation = false;
        try {
          using late = after(OPENING_MS);
          const first = await Promise.race([frames.next(), late.promise]);
          const answer = admit(readOpening(first?.signals));
          isConversation = true;
          hasConversation = true;
          const write = (signal: Uint8Array): void => outbox.push(lengthDelimited(1, signal));
          write(openingSignal(answer));
          // It goes alone: what follows must not be joined to it. One who does not take it is not waited for.
          const isTaken = await Promise.race([outbox.whenFlushed().then(() => true), late.promise]);
          if (isTaken !== true) throw refusal(Reason.PEER_GONE, "The caller takes nothing.");
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
            endsThere: false,
            abort: (cause) => {
              why = cause;
              aborted.resolve();
            },
          };
          outbox.onOverflow(() => stream.abort(refusal(Reason.PEER_GONE, "The caller takes nothing.")));
          await Promise.race([talk(stream), aborted.promise]);
          if (why !== undefined && !call.signal.aborted) throw why;
        } finally {
          if (isConversation || !hasConversation) connection.end();
        }
      },
    },
    { onError, outbox: outboxOptions },
  );
}

function openingSignal(value: Opening): Uint8Array {
  return Signal.encode({ kind: { $case: "opening", value } }).finish();
}

/** @throws RpcError OPENING_EXPECTED */
function readOpening(signals: readonly Signal[] | undefined): Opening {
  const [first, ...others] = signals ?? [];
  if (first?.kind?.$case !== "opening" || others.length > 0) {
    throw refusal(Reason.OPENING_EXPECTED, "The first frame has to be Opening, alone, in time.");
  }
  const { clientName, clientVersion } = first.kind.value;
  for (const text of [clientName, clientVersion]) {
    if (Buffer.byteLength(text) > 64) {
      throw refusal(Reason.INVALID_FIELD, "The client's name and version have at most 64 bytes each.");
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
