// Sends what is unsent: in order, within a window, over one stream at a time, each until it is acked or refused.
import { BroadcastRequest, SendMessageRequest } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Ack, Limits } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { lengthDelimited } from "../../../rpc/wire/raw-fields.ts";
import { LinkEndedError, QueueFullError, refusal, SendDroppedError } from "../model/errors.ts";
import type { SendQueue, SendTarget, UnsentMessage } from "../model/send-queue.ts";
import { wireTarget } from "../model/target.ts";

/** A message on its way. */
export interface Sending {
  /** The number that names it for ever on this device. */
  readonly clientMessageId: bigint;
  /**
   * Resolves when the server has stored it. Rejects with the RpcError of its refusal, SendDroppedError or
   * LinkEndedError (it then stays in its queue). The same is told as an event, so that it need not be awaited.
   */
  readonly done: Promise<Ack>;
}

export interface SenderOptions {
  /** A message unsent for longer waits until a person releases it, ms. */
  readonly holdBackAfterMs: number;
  readonly maxUnsent: number;
  readonly maxUnsentBytes: number;
}

/** What the sender tells its link. */
export interface SenderListener {
  refusedHere(message: UnsentMessage, error: RpcError): void;
  heldBack(messages: UnsentMessage[]): void;
  /** The queue could not be written. */
  failed(error: Error): void;
}

interface Item {
  message: UnsentMessage;
  sentTime: number;
  readonly outcome: PromiseWithResolvers<Ack>;
}

/** In flight at most: enough for full frames, and below what a server takes in one and holds for a stream. */
const window = { sends: 256, bytes: 512 * 1024 };
/** What a command needs besides its content: ids, target, lengths. A user name is at most 64 bytes. */
const overheadBytes = 1024;

export class Sender implements Disposable {
  readonly #queue: SendQueue;
  readonly #options: SenderOptions;
  readonly #listener: SenderListener;
  readonly #leftBehind: Disposable;
  /** To be sent, by rising id. */
  #waiting = new Map<bigint, Item>();
  readonly #inFlight = new Map<bigint, Item>();
  readonly #held = new Map<bigint, Item>();
  #bytes = 0;
  #bytesInFlight = 0;
  #write: ((command: Uint8Array) => void) | undefined;
  #limits: Limits | undefined;
  #pause: NodeJS.Timeout | undefined;
  #settled: PromiseWithResolvers<void> | undefined;
  #ended = false;

  constructor(queue: SendQueue, options: SenderOptions, listener: SenderListener) {
    this.#queue = queue;
    this.#options = options;
    this.#listener = listener;
    this.#leftBehind = queue.takeLeftBehind((messages) => this.#add(messages));
  }

  /** @throws QueueFullError, LinkEndedError */
  send(target: SendTarget, content: Uint8Array): Sending {
    if (this.#ended) throw new LinkEndedError("The link has ended. Open a new one to send.");
    if (
      this.#size >= this.#options.maxUnsent ||
      this.#bytes + content.length > this.#options.maxUnsentBytes
    ) {
      throw new QueueFullError("Too much is unsent already. Wait until the server has taken some of it.");
    }
    const item = this.#keep(this.#queue.add(target, content));
    this.#waiting.set(item.message.clientMessageId, item);
    this.#pump();
    return { clientMessageId: item.message.clientMessageId, done: item.outcome.promise };
  }

  get heldBack(): UnsentMessage[] {
    return [...this.#held.values()].map(({ message }) => message);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Those that were sent before that time (performance.now) and have no answer. */
  unansweredSince(time: number): UnsentMessage[] {
    return [...this.#inFlight.values()]
      .filter(({ sentTime }) => sentTime <= time)
      .map(({ message }) => message);
  }

  /** Lets a message that was held back go. False where it is not held here, or another process has dealt with it. */
  release(clientMessageId: bigint): boolean {
    const item = this.#held.get(clientMessageId);
    if (item === undefined) return false;
    if (!this.#queue.setHeld(clientMessageId, false)) {
      this.#finish(item).reject(new SendDroppedError("Another process has sent or dropped the message."));
      return false;
    }
    this.#held.delete(clientMessageId);
    // Released by a person now: its age counts from here.
    item.message = { ...item.message, held: false, queuedTime: new Date() };
    this.#waiting.set(clientMessageId, item);
    this.#sortWaiting();
    this.#pump();
    return true;
  }

  /** Forgets a message that was held back. False where it is not held here. */
  drop(clientMessageId: bigint): boolean {
    const item = this.#held.get(clientMessageId);
    if (item === undefined) return false;
    this.#finish(item).reject(new SendDroppedError("The message was dropped."));
    return true;
  }

  /** Resolves when nothing is unsent but what is held back; rejects with LinkEndedError if the link ends before. */
  settled(): Promise<void> {
    if (this.#waiting.size + this.#inFlight.size === 0) return Promise.resolve();
    if (this.#ended) return Promise.reject(new LinkEndedError("The link ended before everything was sent."));
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }

  /** A stream is open: sends what waits, unless it is too old, and from now on at once. */
  streamOpened(limits: Limits | undefined, write: (command: Uint8Array) => void): void {
    this.#limits = limits;
    this.#write = write;
    this.#holdOld();
    this.#pump();
  }

  /** The stream is gone: what was in flight goes again over the next one, before anything newer. */
  streamLost(): void {
    this.#write = undefined;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#waiting = new Map([...this.#inFlight, ...this.#waiting]);
    this.#inFlight.clear();
    this.#bytesInFlight = 0;
    this.#sortWaiting();
  }

  /** The server's data is not what it was: nothing goes without a person's word. */
  holdAll(): void {
    this.#queue.holdAll();
    this.#hold([...this.#inFlight.values(), ...this.#waiting.values()]);
  }

  /** The message that the ack is for; undefined where none waits for it any more. */
  acked(ack: Ack): UnsentMessage | undefined {
    const item = this.#inFlight.get(ack.clientMessageId);
    if (item === undefined) return undefined;
    this.#finish(item).resolve(ack);
    this.#pump();
    return item.message;
  }

  /** A refusal with a delay is not final: the message goes again after it, and nothing goes before. */
  refused(clientMessageId: bigint, error: RpcError): UnsentMessage | undefined {
    const item = this.#inFlight.get(clientMessageId);
    if (item === undefined) return undefined;
    if (error.retryDelayMs !== undefined) {
      this.#leaveFlight(item);
      this.#waiting.set(clientMessageId, item);
      this.#sortWaiting();
      this.#pauseFor(error.retryDelayMs);
      return undefined;
    }
    this.#finish(item).reject(error);
    this.#pump();
    return item.message;
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.streamLost();
    this.#leftBehind[Symbol.dispose]();
    const error = new LinkEndedError("The link ended before the message was acked. It stays in the queue.");
    for (const item of [...this.#waiting.values(), ...this.#held.values()]) item.outcome.reject(error);
    this.#settled?.reject(new LinkEndedError("The link ended before everything was sent."));
  }

  get #size(): number {
    return this.#waiting.size + this.#inFlight.size + this.#held.size;
  }

  #keep(message: UnsentMessage): Item {
    const outcome = Promise.withResolvers<Ack>();
    // The outcome is told as an event too: a program that only reads those must not die of an unhandled rejection.
    outcome.promise.catch(() => undefined);
    this.#bytes += message.content.length;
    return { message, outcome, sentTime: 0 };
  }

  #add(messages: UnsentMessage[]): void {
    const items = messages.map((message) => this.#keep(message));
    for (const item of items) this.#waiting.set(item.message.clientMessageId, item);
    this.#sortWaiting();
    this.#hold(items.filter(({ message }) => message.held));
    this.#holdOld();
    this.#pump();
  }

  #holdOld(): void {
    const before = Date.now() - this.#options.holdBackAfterMs;
    const old = [...this.#waiting.values()].filter(({ message }) => message.queuedTime.getTime() < before);
    for (const { message } of old) this.#queue.setHeld(message.clientMessageId, true);
    this.#hold(old);
  }

  #hold(items: Item[]): void {
    if (items.length === 0) return;
    for (const item of items) {
      const id = item.message.clientMessageId;
      this.#waiting.delete(id);
      this.#leaveFlight(item);
      item.message = { ...item.message, held: true };
      this.#held.set(id, item);
    }
    this.#listener.heldBack(items.map(({ message }) => message));
    this.#checkSettled();
  }

  #pump(): void {
    if (this.#write === undefined || this.#pause !== undefined) return;
    for (const item of this.#waiting.values()) {
      if (this.#inFlight.size >= window.sends || this.#bytesInFlight >= window.bytes) return;
      const { clientMessageId } = item.message;
      const error = this.#check(item.message);
      if (error !== undefined) {
        this.#finish(item).reject(error);
        this.#listener.refusedHere(item.message, error);
        continue;
      }
      this.#waiting.delete(clientMessageId);
      this.#inFlight.set(clientMessageId, item);
      this.#bytesInFlight += item.message.content.length;
      item.sentTime = performance.now();
      this.#write(encodeSend(item.message));
    }
  }

  /** What the server could only answer by ending the stream is refused here: it would come back with each attempt. */
  #check({ content, target }: UnsentMessage): RpcError | undefined {
    const most = this.#limits?.maxContentBytes ?? 0;
    if (most > 0 && content.length > most) {
      const message = `The message is ${content.length} bytes long; this server takes at most ${most}.`;
      return refusal(Reason.CONTENT_TOO_LARGE, message, "content");
    }
    const name =
      target.kind === "user" ? target.username : target.kind === "conversation" ? target.conversationId : "";
    if (name.length > overheadBytes / 4) return refusal(Reason.INVALID_FIELD, "That is no name.", "target");
    return undefined;
  }

  #pauseFor(delayMs: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      try {
        this.#pump();
      } catch (error) {
        this.#listener.failed(error instanceof Error ? error : new Error(String(error)));
      }
    }, delayMs);
  }

  /** Forgets the message everywhere; the caller settles its outcome. */
  #finish(item: Item): PromiseWithResolvers<Ack> {
    const id = item.message.clientMessageId;
    this.#queue.remove(id);
    this.#waiting.delete(id);
    this.#leaveFlight(item);
    this.#held.delete(id);
    this.#bytes -= item.message.content.length;
    this.#checkSettled();
    return item.outcome;
  }

  #leaveFlight(item: Item): void {
    if (this.#inFlight.delete(item.message.clientMessageId))
      this.#bytesInFlight -= item.message.content.length;
  }

  #checkSettled(): void {
    if (this.#waiting.size + this.#inFlight.size > 0) return;
    this.#settled?.resolve();
    this.#settled = undefined;
  }

  #sortWaiting(): void {
    const sorted = [...this.#waiting].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#waiting = new Map(sorted);
  }
}

const sendMessageField = 2;
const broadcastField = 3;
const contentField = 15;

/** The encoded Command; its content goes byte for byte as it was queued, by whatever version. */
function encodeSend({ clientMessageId, target, content }: UnsentMessage): Uint8Array {
  const [field, head] =
    target.kind === "broadcast"
      ? [broadcastField, BroadcastRequest.encode({ clientMessageId, content: undefined })]
      : [
          sendMessageField,
          SendMessageRequest.encode({ clientMessageId, target: wireTarget(target), content: undefined }),
        ];
  return lengthDelimited(field, Buffer.concat([head.finish(), lengthDelimited(contentField, content)]));
}
