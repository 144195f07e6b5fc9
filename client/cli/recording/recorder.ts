// Records one stream: writes the frames of both directions to the file, before their events are printed.
import { ConnectResponse } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Event } from "../../../gen/parley/chat/v1/event.ts";
import type { RawCall } from "../../../rpc/dialling/raw-call.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { reasonName } from "../../link/model/errors.ts";
import { readLine } from "../calling/read-request.ts";
import { entryLine, goneLine, omittedLine } from "../command/show.ts";
import { eachLine } from "../process/input.ts";
import type { Output } from "../process/output.ts";
import { messageOf } from "../process/schema.ts";
import { line, type Styled } from "../terminal/text/style.ts";
import type { RecordingWriter } from "./recording-writer.ts";
import { unusedIds, withIds } from "./unused-ids.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** How long the server may take to end the stream after the client has ended its side, ms. */
const endMs = 2_000;

export interface RecorderParts {
  readonly stream: RawCall;
  readonly writer: RecordingWriter;
  readonly output: Output;
  /** Ends the recording. */
  readonly signal: AbortSignal;
}

export class Recorder {
  /** The number of recorded frames. */
  frames = 0;
  readonly #parts: RecorderParts;
  readonly #request = messageOf("parley.chat.v1.ConnectRequest");
  readonly #nextId = unusedIds();
  readonly #response = messageOf("parley.chat.v1.ConnectResponse");
  #failure: Error | undefined;
  #late: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /**
   * Records until the stream or the recording ends.
   * @param input the lines to send, if any
   * @throws RpcError if the stream fails, RecordingError, UsageError for a line that is not valid
   */
  async run(hello: Uint8Array, input: NodeJS.ReadStream | undefined): Promise<void> {
    const { stream, writer, output, signal } = this.#parts;
    await this.#up(hello);
    const stop = (): void => this.#stop();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    let sending: Promise<void> | undefined;
    try {
      for await (const frame of stream) {
        await this.#down(frame);
        if (sending !== undefined) continue;
        // The client must not send before the Welcome.
        output.notice("Recording. Ctrl-C ends it.");
        sending = input === undefined ? Promise.resolve() : this.#send(input);
      }
      await writer.end({ code: 0, reason: "", message: "" });
    } catch (error) {
      if (error instanceof RpcError) {
        const { code, reason, message } = error;
        await writer.end({ code, reason, message });
      }
      if (this.#failure === undefined && !signal.aborted) throw error;
    } finally {
      this.#ended = true;
      clearTimeout(this.#late);
      signal.removeEventListener("abort", stop);
      input?.destroy();
      await sending;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Never rejects: a failure ends the stream, and is thrown by `run`. */
  async #send(input: NodeJS.ReadStream): Promise<void> {
    try {
      let number = 0;
      for await (const text of eachLine(input)) {
        number++;
        if (text.trim() === "") continue;
        await this.#up(withIds(readLine(this.#request, text, number), this.#nextId));
      }
      this.#parts.stream.end();
    } catch (error) {
      if (this.#ended) return;
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#stop();
    }
  }

  /** Ends the client's side of the stream (half-close). The server answers the pending commands and ends the stream. */
  #stop(): void {
    const { stream } = this.#parts;
    stream.end();
    this.#late ??= setTimeout(() => stream[Symbol.dispose](), endMs);
  }

  async #up(frame: Uint8Array): Promise<void> {
    this.frames++;
    await this.#parts.writer.frame("up", withoutSecrets(this.#request, frame));
    await this.#parts.stream.write(frame);
  }

  async #down(frame: Uint8Array): Promise<void> {
    this.frames++;
    await this.#parts.writer.frame("down", withoutSecrets(this.#response, frame));
    for (const event of ConnectResponse.decode(frame).events) {
      await this.#parts.output.result(
        { typeName: "parley.chat.v1.Event", codec: Event, value: event },
        shown(event),
      );
    }
  }
}

/** The line to print for an event; undefined for none. */
function shown({ kind }: Event): Styled | undefined {
  switch (kind?.$case) {
    case "entryAppended":
      return kind.value.entry === undefined ? undefined : entryLine(kind.value.entry, true);
    case "omitted":
      return omittedLine(kind.value);
    case "gap":
      return goneLine(kind.value);
    case "ack":
      return line`Stored: number ${kind.value.seq}.`;
    case "refused":
      return line`Refused: ${kind.value.message} (${reasonName(kind.value.reason)})`;
    default:
      return undefined;
  }
}
