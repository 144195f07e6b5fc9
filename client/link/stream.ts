// One Connect or Follow call: joined frames of commands up, frames of events down, an error that says how it ended.
import type { Client, ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { makeGenericClientConstructor } from "@grpc/grpc-js";
import type { ConnectResponse, FollowResponse } from "../../gen/parley/chat/v1/chat_service.ts";
import { ChatServiceService, Command, type Hello } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import { asBuffer, strictDefinition, Undecodable } from "../../rpc/decode.ts";
import type { Dialled } from "../../rpc/dial.ts";
import { bearer } from "../../rpc/metadata.ts";
import { Outbox } from "../../rpc/outbox.ts";
import { lengthDelimited } from "../../rpc/raw-fields.ts";
import { fromServiceError } from "../../rpc/status.ts";
import { BrokenStreamError } from "./errors.ts";

/** An open stream. Iterate it once; dispose of it in any case, which cancels what is left of it. */
export interface ChatStream extends AsyncIterable<Event[]>, Disposable {
  /**
   * Sends an encoded Command. Nothing may be written between Hello, which goes first and alone, and Welcome. Dropped
   * once the stream has ended: what matters is sent again over the next one.
   */
  write(command: Uint8Array): void;
  /** Sends what was written, and says that no more will come. The server then ends the stream. */
  end(): Promise<void>;
}

const { connect, follow } = strictDefinition(ChatServiceService);
const PlainClient = makeGenericClientConstructor({}, "parley.chat.v1.ChatService");

/** The sender's window is far below the hard bound: only a bug gets there. */
const outboxOptions = { softBytes: 1024 * 1024, hardBytes: 4 * 1024 * 1024, maxFrameBytes: 64 * 1024 };

/** Opens the stream and says hello. */
export function openConnect(dialled: Dialled, token: string, hello: Hello): ChatStream {
  const call = clientOf(dialled).makeBidiStreamRequest<Uint8Array, ConnectResponse>(
    connect.path,
    asBuffer,
    connect.responseDeserialize,
    bearer(token),
  );
  const outbox = new Outbox(call, outboxOptions);
  outbox.onOverflow(() => call.cancel());
  const write = (command: Uint8Array): void => outbox.push(lengthDelimited(1, command));
  write(Command.encode({ kind: { $case: "hello", value: hello } }).finish());
  const end = async (): Promise<void> => {
    await outbox.whenFlushed();
    call.end();
  };
  return { write, end, ...reading(call) };
}

/** Opens the receiving half of a stream. What is written to it is dropped. */
export function openFollow(dialled: Dialled, token: string, hello: Hello): ChatStream {
  const call = clientOf(dialled).makeServerStreamRequest(
    follow.path,
    follow.requestSerialize,
    follow.responseDeserialize,
    { hello },
    bearer(token),
  );
  const end = (): Promise<void> => {
    call.cancel();
    return Promise.resolve();
  };
  return { write: () => undefined, end, ...reading(call) };
}

function clientOf(dialled: Dialled): Client {
  return new PlainClient(dialled.target, dialled.credentials, dialled.clientOptions);
}

type AnyCall = ClientReadableStream<ConnectResponse | FollowResponse>;

function reading(call: AnyCall): AsyncIterable<Event[]> & Disposable {
  let failure: ServiceError | undefined;
  // Listened to for the whole life: an error event without a listener would end the process.
  call.on("error", (error: ServiceError) => {
    failure ??= error;
  });
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for await (const frame of call as AsyncIterable<ConnectResponse | Undecodable>) {
          if (frame instanceof Undecodable) {
            throw new BrokenStreamError("The server sent something that is no frame of events.", {
              cause: frame.cause,
            });
          }
          yield frame.events;
        }
      } catch (error) {
        throw error instanceof BrokenStreamError ? error : fromServiceError(error);
      }
      // The status may have come while nobody was reading.
      if (failure !== undefined) throw fromServiceError(failure);
    },
    [Symbol.dispose]: () => call.cancel(),
  };
}
