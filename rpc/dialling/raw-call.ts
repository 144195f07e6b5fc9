// Calls a method by its path with encoded messages, for programs that load the schema at run time.
import { once } from "node:events";
import { type ClientDuplexStream, makeGenericClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { bearer } from "../calls/metadata.ts";
import { fromServiceError } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import type { Dialled } from "./dial.ts";

export interface RawCallOptions {
  /** The full path of the method, such as "/parley.chat.v1.ChatService/Follow". */
  readonly path: string;
  readonly token: string;
  /** How long the whole call may take, ms; by default there is no limit. */
  readonly timeoutMs?: number;
}

/**
 * The responses, in order. Iterate once; it throws RpcError if the call does not end with OK. Always dispose of it,
 * which cancels the call if it has not ended.
 */
export interface RawCall extends AsyncIterable<Uint8Array>, Disposable {
  /**
   * Sends a message, and resolves when there is room for more. After the end of the call, which iteration reports, the
   * message is dropped.
   */
  write(message: Uint8Array): Promise<void>;
  /** Half-closes the call: no more requests follow. */
  end(): void;
}

const PlainClient = makeGenericClientConstructor({}, "raw");

/** Opens a call of any of the four kinds. They are the same on the wire: a unary call has one request and one response. */
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
  // The listener is never removed: an "error" event without one would end the process.
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
      // The status can arrive while no read is in progress.
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
    // The call has ended. Iterating the responses reports how.
  }
}
