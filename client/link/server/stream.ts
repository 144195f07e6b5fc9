// One Connect or Follow call: joined frames of commands up, frames of events down, an error that says how it ended.
import { ChatServiceService, Command, type Hello } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { strictDefinition } from "../../../rpc/calls/decode.ts";
import { openBidi, openServerStream, type Responses } from "../../../rpc/dialling/client-stream.ts";
import type { Dialled } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { BrokenStreamError } from "../model/errors.ts";

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

/** The sender's window is far below the hard bound: only a bug gets there. */
const outboxOptions = { softBytes: 1024 * 1024, hardBytes: 4 * 1024 * 1024, maxFrameBytes: 64 * 1024 };

/** Opens the stream and says hello. */
export function openConnect(dialled: Dialled, token: string, hello: Hello): ChatStream {
  const call = openBidi(dialled, connect, token, outboxOptions);
  const write = (command: Uint8Array): void => call.outbox.push(lengthDelimited(1, command));
  write(Command.encode({ kind: { $case: "hello", value: hello } }).finish());
  return { write, end: () => call.end(), ...eventsOf(call) };
}

/** Opens the receiving half of a stream. What is written to it is dropped. */
export function openFollow(dialled: Dialled, token: string, hello: Hello): ChatStream {
  const call = openServerStream(dialled, follow, { hello }, token);
  const end = (): Promise<void> => {
    call[Symbol.dispose]();
    return Promise.resolve();
  };
  return { write: () => undefined, end, ...eventsOf(call) };
}

function eventsOf(call: Responses<{ events: Event[] }>): AsyncIterable<Event[]> & Disposable {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for await (const { events } of call) yield events;
      } catch (error) {
        if (!(error instanceof RpcError && error.reason === "UNDECODABLE" && error.cause !== undefined))
          throw error;
        throw new BrokenStreamError("The server sent something that is no frame of events.", {
          cause: error.cause,
        });
      }
    },
    [Symbol.dispose]: () => call[Symbol.dispose](),
  };
}
