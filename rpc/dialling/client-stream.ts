// Streaming calls of a client: responses as an async iterable that throws if the call ends with an error, and requests
// through an outbox.
import type { Client, ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { Metadata, makeGenericClientConstructor } from "@grpc/grpc-js";
import { type Method, Undecodable } from "../calls/decode.ts";
import { bearer } from "../calls/metadata.ts";
import { Outbox, type OutboxOptions } from "../calls/outbox.ts";
import { fromServiceError } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import type { Dialled } from "./dial.ts";

type RequestOf<M extends Method> = Parameters<M["requestSerialize"]>[0];
type ResponseOf<M extends Method> = Exclude<ReturnType<M["responseDeserialize"]>, Undecodable>;

/** The responses of a call. Iterate once. Always dispose of them, which cancels the call if it has not ended. */
export interface Responses<Response> extends AsyncIterable<Response>, Disposable {}

export interface BidiCall<Response> extends Responses<Response> {
  /** Takes encoded pieces of request messages, several of which can be joined into one message. */
  readonly outbox: Outbox;
  /** Half-closes the call after everything that was pushed is sent. */
  end(): Promise<void>;
}

const PlainClient = makeGenericClientConstructor({}, "");

/** Opens a bidirectional call of a strict definition. Iteration throws RpcError, UNDECODABLE for a malformed response. */
export function openBidi<M extends Method>(
  dialled: Dialled,
  method: M,
  token: string | undefined,
  outboxOptions: OutboxOptions,
): BidiCall<ResponseOf<M>> {
  const call = clientOf(dialled).makeBidiStreamRequest<Uint8Array, ResponseOf<M>>(
    method.path,
    asBuffer,
    method.responseDeserialize as (bytes: Buffer) => ResponseOf<M>,
    metadataOf(token),
  );
  const outbox = new Outbox(call, outboxOptions);
  outbox.onOverflow(() => call.cancel());
  const end = async (): Promise<void> => {
    await outbox.whenFlushed();
    call.end();
  };
  return { outbox, end, ...reading(call) };
}

/** Opens a server-streaming call of a strict definition. Iteration throws as with openBidi. */
export function openServerStream<M extends Method>(
  dialled: Dialled,
  method: M,
  request: RequestOf<M>,
  token: string | undefined,
): Responses<ResponseOf<M>> {
  return reading(
    clientOf(dialled).makeServerStreamRequest<RequestOf<M>, ResponseOf<M>>(
      method.path,
      method.requestSerialize as (value: RequestOf<M>) => Buffer,
      method.responseDeserialize as (bytes: Buffer) => ResponseOf<M>,
      request,
      metadataOf(token),
    ),
  );
}

function metadataOf(token: string | undefined): Metadata {
  return token === undefined ? new Metadata() : bearer(token);
}

function clientOf(dialled: Dialled): Client {
  return new PlainClient(dialled.target, dialled.credentials, dialled.clientOptions);
}

function reading<Response>(call: ClientReadableStream<Response>): Responses<Response> {
  let failure: ServiceError | undefined;
  // The listener is never removed: an "error" event without one would end the process.
  call.on("error", (error: ServiceError) => {
    failure ??= error;
  });
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for await (const response of call as AsyncIterable<Response | Undecodable>) {
          if (response instanceof Undecodable) throw response.toRpcError();
          yield response;
        }
      } catch (error) {
        throw fromServiceError(error);
      }
      // The status can arrive while no read is in progress.
      if (failure !== undefined) throw fromServiceError(failure);
    },
    [Symbol.dispose]: () => call.cancel(),
  };
}
