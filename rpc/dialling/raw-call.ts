// Calls a method by its path, with messages that are bytes already: for programs that learn the schema at run time.
import { once } from "node:events";
import { type ClientDuplexStream, makeGenericClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { bearer } from "../calls/metadata.ts";
import { fromServiceError } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import type { Dialled } from "./dial.ts";

export interface RawCallOptions {
  /** As in "/parley.chat.v1.ChatService/Follow". */
  readonly path: string;
  readonly token: string;
  /** How long the whole call may take, ms; left out: as long as it likes. */
  readonly timeoutMs?: number;
}

/**
 * Answers, in order; iterate once. It ends when the server ends the call with OK, else with an RpcError. Dispose of it
 * in any case, which cancels what is left of it.
 */
export interface RawCall extends AsyncIterable<Uint8Array>, Disposable {
  /** Resolves when there is room for more. Dropped once the call has ended: the answers say how. */
  write(message: Uint8Array): Promise<void>;
  /** Says that no more requests will come. */
  end(): void;
}

const PlainClient = makeGenericClientConstructor({}, "raw");

/** All four kinds of calls are alike on the wire: so a unary one is a stream of one request and one answer. */
export function openRawCall(dialled: Dialled, { path, token, timeoutMs }: RawCallOptions): RawCall {
  const client = new PlainClient(dialled.target, dialled.credentials, dialled.clientOptions);
  const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  const call = client.makeBidiStreamRequest<Uint8Array, Buffer>(
    path,
    asBuffer,
    (bytes) => bytes,
    bearer(token),
    deadline,
  );
  const ended = new AbortController();
  let failure: ServiceError | undefined;
  // Listened to for the whole life: an error event without a listener would end the process.
  call.on("error", (error: ServiceError) => {
    failure ??= error;
    ended.abort();
  });
  call.on("end", () => ended.abort());
  return {
    write: (message) => write(call, message, ended.signal),
    end: () => call.end(),
    async *[Symbol.asyncIterator]() {
      try {
        yield* call as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw fromServiceError(error);
      }
      // The status may have come while nobody was reading.
      if (failure !== undefined) throw fromServiceError(failure);
    },
    [Symbol.dispose]: () => call.cancel(),
  };
}

async function write(
  call: ClientDuplexStream<Uint8Array, Buffer>,
  message: Uint8Array,
  ended: AbortSignal,
): Promise<void> {
  if (ended.aborted || call.write(message)) return;
  try {
    await once(call, "drain", { signal: ended });
  } catch {
    // It ended instead; how, the answers tell.
  }
}
