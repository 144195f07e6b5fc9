// Sends the queued messages in order, within a window, over one stream at a time, until each is acked or refused.
import type { Ack, Limits } from "../../../gen/parley/chat/v1/event.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { LinkEndedError, QueueFullError, SendDroppedError } from "../model/errors.ts";
import type { SendQueue, SendTarget, UnsentMessage } from "../model/send-queue.ts";
import { checkSend, encodeSend } from "./send-command.ts";

/** A message that `send` has queued. */
export interface Sending {
  /** Identifies the message on this device permanently. */
  readonly clientMessageId: bigint;
  /**
   * Resolves when the server has stored the message. Rejects with the RpcError of the refusal, with SendDroppedError,
   * or with LinkEndedError (the message then stays in the queue). The outcome is also an event, so a program need not
   * await this promise.
   */
  readonly done: Promise<Ack>;
}

export interface SenderOptions {
  /** A message that is unsent for longer is held back, ms. */
  readonly holdBackAfterMs: number;
  readonly maxUnsent: number;
  readonly maxUnsentBytes: number;
}

/** The callbacks of a sender. */
export interface SenderListener {
  /** The sender refused the message before it was sent. */
  refusedLocally(message: UnsentMessage, error: RpcError): void;
  heldBack(messages: UnsentMessage[]): void;
  /** The server has ids of this device that this queue has not used, so the queue is a copy. */
  copied(): void;
  /** The queue cannot be written. */
  failed(error: Error): void;
}

interface Item {
  message: UnsentMessage;
  /** The id that `send` returned, which stays the same for the program if the message gets another id. */
  readonly givenId: bigint;
  /** This process has queued the message, and not an earlier one, which may have sent it. */
  readonly isOwn: boolean;
  /** How often it was sent under its present id. */
  attempts: number;
  isRenumbered: boolean;
  sentTime: number;
  readonly outcome: PromiseWithResolvers<Ack>;
}

/** The most that may be in flight: enough for full frames, and less than a server buffers for one stream. */
const window = { sends: 256, bytes: 512 * 1024 };
export class Sender implements Disposable {
  readonly #queue: SendQueue;
  readonly #options: SenderOptions;
  readonly #listener: SenderListener;
  readonly #orphans: Disposable;
  /** Messages to send, by rising id. */
  #waiting = new Map<bigint, Item>();
  readonly #inFlight = new Map<bigint, Item>();
  readonly #held = new Map<bigint, Item>();
  #bytes = 0;
  #bytesInFlight = 0;
  #write: ((command: Uint8Array) => void) | undefined;
  #limits: Limits | undefined;
  #pause: NodeJS.Timeout | undefined;
  #settled: PromiseWithResolvers<void> | undefined;
  #isCopy = false;
  #ended = false;

  constructor(queue: SendQueue, options: SenderOptions, listener: SenderListener) {
    this.#queue = queue;
    this.#options = options;
    this.#listener = listener;
    this.#orphans = queue.takeOrphans((messages) => this.#add(messages));
  }

  /** @throws QueueFullError, LinkEndedError */
  send(target: SendTarget, content: Uint8Array): Sending {
    if (this.#ended) throw new LinkEndedError("The link has ended. Open a new one to send.");
    if (
      this.#size >= this.#options.maxUnsent ||
      this.#bytes + content.length > this.#options.maxUnsentBytes
    ) {
      throw new QueueFullError(
        "Too many messages are unsent. Wait until the server has stored some of them.",
      );
    }
    const item = this.#keep(this.#queue.add(target, content), true);
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

  /** Messages that were sent before this time (`performance.now()`) and have no answer. The caller sends them again. */
  takeForRepeat(time: number): UnsentMessage[] {
    const items = [...this.#inFlight.values()].filter(({ sentTime }) => sentTime <= time);
    for (const item of items) item.attempts += 1;
    return items.map(({ message }) => message);
  }

  /** Sends a held message. Returns false if it is not held, or another process has sent or dropped it. */
  release(clientMessageId: bigint): boolean {
    const item = this.#held.get(clientMessageId);
    if (item === undefined) return false;
    if (!this.#queue.setHeld(clientMessageId, false)) {
      this.#finish(item).reject(new SendDroppedError("Another process has sent or dropped the message."));
      return false;
    }
    this.#held.delete(clientMessageId);
    // Its age counts from the release.
    item.message = { ...item.message, held: false, queuedTime: new Date() };
    this.#waiting.set(clientMessageId, item);
    this.#sortWaiting();
    this.#pump();
    return true;
  }

  /** Deletes a held message. Returns false if it is not held. */
  drop(clientMessageId: bigint): boolean {
    const item = this.#held.get(clientMessageId);
    if (item === undefined) return false;
    this.#finish(item).reject(new SendDroppedError("The message was dropped."));
    return true;
  }

  /** Resolves when only held messages are unsent; rejects with LinkEndedError if the link ends before that. */
  settled(): Promise<void> {
    if (this.#waiting.size + this.#inFlight.size === 0) return Promise.resolve();
    if (this.#ended)
      return Promise.reject(new LinkEndedError("The link ended before all messages were sent."));
    this.#settled ??= Promise.withResolvers<void>();
    return this.#settled.promise;
  }

  /** A stream is open: sends the waiting messages, and new ones immediately. Messages that are too old are held. */
  streamOpened(limits: Limits | undefined, write: (command: Uint8Array) => void): void {
    this.#limits = limits;
    this.#write = write;
    this.#holdOld();
    this.#pump();
  }

  /** The stream is lost: messages in flight are sent again over the next one, before newer ones. */
  streamLost(): void {
    this.#write = undefined;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#waiting = new Map([...this.#inFlight, ...this.#waiting]);
    this.#inFlight.clear();
    this.#bytesInFlight = 0;
    this.#sortWaiting();
  }

  /** Holds every message, because the server has other data than before. */
  holdAll(): void {
    this.#queue.holdAll();
    this.#hold([...this.#inFlight.values(), ...this.#waiting.values()]);
  }

  /** Completes the message of the ack, and returns it; undefined if it is not in flight. */
  acked(ack: Ack): UnsentMessage | undefined {
    const item = this.#inFlight.get(ack.clientMessageId);
    if (item === undefined) return undefined;
    const isFirstAnswer = item.isOwn && item.attempts === 1;
    if (ack.repeatedSend && isFirstAnswer && this.#renumber(item)) return undefined;
    this.#finish(item).resolve(ack);
    this.#pump();
    return { ...item.message, clientMessageId: item.givenId };
  }

  /**
   * Completes a refused message, and returns it. If the refusal asks for a delay, sending pauses and the message is
   * sent again.
   */
  refused(clientMessageId: bigint, error: RpcError): UnsentMessage | undefined {
    const item = this.#inFlight.get(clientMessageId);
    if (item === undefined) return undefined;
    // Each message is sent unchanged under its id, so another one had the id before.
    if (error.reason === "CLIENT_MESSAGE_ID_REUSED" && this.#renumber(item)) return undefined;
    if (error.retryDelayMs !== undefined) {
      this.#leaveFlight(item);
      this.#waiting.set(clientMessageId, item);
      this.#sortWaiting();
      this.#pauseFor(error.retryDelayMs);
      return undefined;
    }
    this.#finish(item).reject(error);
    this.#pump();
    return { ...item.message, clientMessageId: item.givenId };
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.streamLost();
    this.#orphans[Symbol.dispose]();
    const error = new LinkEndedError(
      "The link ended before the server acked the message. It stays in the queue.",
    );
    for (const item of [...this.#waiting.values(), ...this.#held.values()]) item.outcome.reject(error);
    this.#settled?.reject(new LinkEndedError("The link ended before all messages were sent."));
  }

  get #size(): number {
    return this.#waiting.size + this.#inFlight.size + this.#held.size;
  }

  /**
   * Sends the message again under another id. Returns false if that was done before, since a server that finds each id
   * used is not believed, or if another process has sent or dropped the message.
   */
  #renumber(item: Item): boolean {
    if (item.isRenumbered) return false;
    const message = this.#queue.renumber(item.message.clientMessageId);
    if (message === undefined) return false;
    this.#leaveFlight(item);
    item.message = message;
    item.attempts = 0;
    item.isRenumbered = true;
    this.#waiting.set(message.clientMessageId, item);
    if (!this.#isCopy) this.#listener.copied();
    this.#isCopy = true;
    this.#pump();
    return true;
  }

  #keep(message: UnsentMessage, isOwn: boolean): Item {
    const outcome = Promise.withResolvers<Ack>();
    // A program that only reads the events must not crash because of an unhandled rejection.
    outcome.promise.catch(() => undefined);
    this.#bytes += message.content.length;
    const { clientMessageId: givenId } = message;
    return { message, givenId, isOwn, attempts: 0, isRenumbered: false, outcome, sentTime: 0 };
  }

  #add(messages: UnsentMessage[]): void {
    const items = messages.map((message) => this.#keep(message, false));
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
      const error = checkSend(item.message, this.#limits);
      if (error !== undefined) {
        this.#finish(item).reject(error);
        this.#listener.refusedLocally(item.message, error);
        continue;
      }
      this.#waiting.delete(clientMessageId);
      this.#inFlight.set(clientMessageId, item);
      this.#bytesInFlight += item.message.content.length;
      item.attempts += 1;
      item.sentTime = performance.now();
      this.#write(encodeSend(item.message));
    }
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

  /** Deletes the message; the caller settles the returned outcome. */
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
