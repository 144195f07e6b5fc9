// One Connect or Follow call: sends commands in frames, receives frames of events, and ends with a status.
import { ChatServiceService, Command, type Hello } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { strictDefinition } from "../../../rpc/calls/decode.ts";
import { openBidi, openServerStream, type Responses } from "../../../rpc/dialling/client-stream.ts";
import type { Dialled } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { BrokenStreamError } from "../model/errors.ts";

/** An open stream. Iterate it once. Always dispose of it, which cancels the call if it is still open. */
export interface ChatStream extends AsyncIterable<Event[]>, Disposable {
  /**
   * Sends an encoded Command. Nothing may be written between Hello, which is the first frame, and Welcome. A command is
   * dropped when the stream has ended; the caller repeats important ones on the next stream.
   */
  write(command: Uint8Array): void;
  /** Sends the written commands and half-closes the call. The server then ends the stream. */
  end(): Promise<void>;
}

const { connect, follow } = strictDefinition(ChatServiceService);

/** The sender's window is far below the hard limit, so only a bug reaches it. */
const outboxOptions = { softBytes: 1024 * 1024, hardBytes: 4 * 1024 * 1024, maxFrameBytes: 64 * 1024 };

/** Opens the stream and sends Hello. */
export function openConnect(dialled: Dialled, token: string, hello: Hello): ChatStream {
  const call = openBidi(dialled, connect, token, outboxOptions);
  const write = (command: Uint8Array): void => call.outbox.push(lengthDelimited(1, command));
  write(Command.encode({ kind: { $case: "hello", value: hello } }).finish());
  return { write, end: () => call.end(), ...eventsOf(call) };
}

/** Opens a stream that only receives. Commands that are written to it are dropped. */
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
        throw new BrokenStreamError("The server sent a message that is not a frame of events.", {
          cause: error.cause,
        });
      }
    },
    [Symbol.dispose]: () => call[Symbol.dispose](),
  };
}
