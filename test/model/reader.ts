// One reader of the model test: a device that sends, reads Connect or Follow streams, loses them, and resumes by its cursors.
import { status } from "@grpc/grpc-js";
import type { Command } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Ack, Event } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { RpcError } from "../../rpc/status/status.ts";
import type { TestClient, TestStream } from "../support/client.ts";
import { beginningOf, ReceivedLog } from "./received-log.ts";

/** One message of this reader. No two have the same text. */
export interface Send {
  readonly clientMessageId: bigint;
  /** A user's name; undefined for a broadcast. */
  readonly to: string | undefined;
  readonly text: string;
  /** The position in the log, after the first ack. */
  place: { readonly conversationId: string; readonly seq: bigint } | undefined;
}

interface OpenStream {
  readonly stream: TestStream;
  readonly canSend: boolean;
  /** The number of its events that the reader has read. */
  taken: number;
}

export class Reader {
  readonly name: string;
  readonly client: TestClient;
  readonly received = new ReceivedLog();
  readonly sends: Send[] = [];
  #open: OpenStream | undefined;

  constructor(name: string, client: TestClient) {
    this.name = name;
    this.client = client;
  }

  /** Opens a stream, if there is none. A Connect stream sends all messages without an ack again. */
  open(kind: "connect" | "follow"): void {
    if (this.#open !== undefined) return;
    const cursors = Array.from(this.received.cursors, ([conversationId, seq]) => ({ conversationId, seq }));
    this.received.streamOpened();
    const canSend = kind === "connect";
    const stream = canSend ? this.client.connect({ cursors }) : this.client.follow({ cursors });
    this.#open = { stream, canSend, taken: 0 };
    for (const send of this.sends) if (send.place === undefined) this.#write(send);
  }

  pause(): void {
    this.#open?.stream.call.pause();
  }

  resume(): void {
    this.#open?.stream.call.resume();
  }

  /** Cancels the stream. Events that have not arrived are lost. */
  async drop(): Promise<void> {
    this.readEvents();
    const lost = this.#open;
    if (lost === undefined) return;
    this.#open = undefined;
    lost.stream.call.cancel();
    // A paused call does not report its end.
    lost.stream.call.resume();
    const ending = await lost.stream.ended;
    if (ending?.code !== status.CANCELLED)
      throw new Error(`a stream of ${this.name} ended`, { cause: ending });
  }

  /** Reads until the server, which is stopping, has ended the stream. */
  async waitForServerStop(): Promise<void> {
    const ended = this.#open;
    if (ended === undefined) return;
    this.resume();
    const ending = await ended.stream.ended;
    this.readEvents();
    this.#open = undefined;
    // gRPC refuses a call that the server has not accepted, without a reason.
    const isTooLate = ended.taken === 0 && ending?.code === status.UNAVAILABLE;
    if (ending?.reason !== "SERVER_STOPPING" && !isTooLate) {
      throw new Error(`the stream of ${this.name} did not end with SERVER_STOPPING`, { cause: ending });
    }
  }

  /** Sends on the stream, or, if there is none that can send, when the next one opens. */
  send(to: string | undefined, text: string): void {
    this.#write(this.#newSend(to, text));
  }

  /** Sends by a unary call. */
  async sendByCall(to: string | undefined, text: string): Promise<void> {
    await this.#call(this.#newSend(to, text));
  }

  /** Sends the newest message again by a unary call, whether or not it was acked or is pending on a stream. */
  async repeatByCall(): Promise<void> {
    const send = this.sends.at(-1);
    if (send === undefined) return;
    const wasAcked = send.place !== undefined;
    const ack = await this.#call(send);
    if (wasAcked && !ack.repeatedSend) throw new Error(`${beginningOf(send.text)} was stored again`);
  }

  /** Reads all events that have arrived. */
  readEvents(): void {
    const open = this.#open;
    if (open === undefined) return;
    for (const event of open.stream.events.slice(open.taken)) {
      open.taken++;
      try {
        this.#read(event);
      } catch (error) {
        throw new Error(`${this.name}, event ${open.taken} of a stream: ${String(error)}`, { cause: error });
      }
    }
  }

  /** Reads events until the condition is true. @throws Error if the stream ends first */
  async until(isDone: () => boolean): Promise<void> {
    for (;;) {
      this.readEvents();
      if (isDone()) return;
      if (this.#open === undefined) throw new Error(`${this.name} has no stream to read`);
      await this.#open.stream.change();
    }
  }

  #newSend(to: string | undefined, text: string): Send {
    const clientMessageId = this.client.nextId();
    const send = { clientMessageId, to, text: `${this.name} ${clientMessageId} ${text}`, place: undefined };
    this.sends.push(send);
    return send;
  }

  #write({ clientMessageId, to, text }: Send): void {
    if (this.#open?.canSend !== true) return;
    const content = { kind: { $case: "text", value: text } } as const;
    const kind: Command["kind"] =
      to === undefined
        ? { $case: "broadcast", value: { clientMessageId, content } }
        : {
            $case: "sendMessage",
            value: { clientMessageId, target: { target: { $case: "username", value: to } }, content },
          };
    this.#open.stream.write({ kind });
  }

  async #call(send: Send): Promise<Ack> {
    const { clientMessageId, to, text } = send;
    for (;;) {
      try {
        const ack = await (to === undefined
          ? this.client.broadcast(text, clientMessageId)
          : this.client.send(to, text, clientMessageId));
        this.#acked(send, ack);
        return ack;
      } catch (error) {
        // A flood opens as many calls as a connection may have, and HTTP/2 refuses one that is opened before another one is
        // closed. Such a call has no answer, so it is made again.
        const isRefusedByHttp2 =
          error instanceof RpcError && error.reason === "" && error.code === status.RESOURCE_EXHAUSTED;
        if (!isRefusedByHttp2) throw error;
      }
    }
  }

  #acked(send: Send, { conversationId, seq }: Ack): void {
    send.place ??= { conversationId, seq };
    if (send.place.conversationId !== conversationId || send.place.seq !== seq) {
      throw new Error(`${beginningOf(send.text)} was acked with two positions`);
    }
  }

  #read({ kind }: Event): void {
    switch (kind?.$case) {
      case "caughtUp":
        this.received.caughtUp();
        return;
      case "entryAppended":
        this.received.entry(kind.value);
        return;
      case "omitted":
        this.received.omitted(kind.value);
        return;
      case "gap":
        this.received.gap(kind.value);
        return;
      case "ack": {
        const ack = kind.value;
        const send = this.sends.find(({ clientMessageId }) => clientMessageId === ack.clientMessageId);
        if (send === undefined) throw new Error(`an ack for ${ack.clientMessageId}, which was never sent`);
        this.#acked(send, ack);
        if (!ack.repeatedSend) this.received.ack(ack.conversationId, ack.seq, send.text);
        return;
      }
      case "refused": {
        const [reason] = Object.entries(Reason).find(([, value]) => value === kind.value.reason) ?? [];
        throw new Error(`refused: ${reason}, ${kind.value.message}`);
      }
      default:
        return;
    }
  }
}
