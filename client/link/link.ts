// The connection of one session to its server: it connects, catches up, reconnects, and sends each message once.
import { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { LinkOptions } from "./link-options.ts";
import { MemoryCursors } from "./model/cursors.ts";
import { LinkEndedError } from "./model/errors.ts";
import type { LinkEnding, LinkEvent, LinkState } from "./model/events.ts";
import { MemorySendQueue, type SendTarget, type UnsentMessage } from "./model/send-queue.ts";
import { type ConversationTarget, wireTarget } from "./model/target.ts";
import { MarkerSender } from "./receiving/marker-sender.ts";
import { ReaderFeed } from "./receiving/reader-feed.ts";
import { Sender, type Sending } from "./sending/sender.ts";
import { TypingThrottle } from "./sending/typing-throttle.ts";
import { Account, textContent } from "./server/account.ts";
import { Backoff } from "./server/backoff.ts";
import { Reconnector } from "./server/reconnector.ts";
import { StreamRunner } from "./stream-runner.ts";

const maxBufferedBytes = 4 * 1024 * 1024;
const unsentBounds = { maxUnsent: 10_000, maxUnsentBytes: 16 * 1024 * 1024 };
const hourMs = 3_600_000;
/** How long an orderly end may take, ms. */
const endMs = 1_000;

/** Opens a link, which connects in the background. Dispose of it to end it. */
export function openLink(options: LinkOptions): Link {
  return new Link(options);
}

/**
 * The connection of one session to its server. It reconnects, hands out each entry once, and sends each message once.
 */
export class Link implements AsyncDisposable {
  /** Unary calls in the same session. */
  readonly account: Account;
  readonly #feed: ReaderFeed;
  readonly #markers = new MarkerSender();
  readonly #sender: Sender | undefined;
  readonly #reconnector: Reconnector;
  readonly #closing = new AbortController();
  readonly #streams: StreamRunner;
  readonly #typing = new TypingThrottle();
  readonly #run: Promise<void>;
  #state: LinkState = { phase: "connecting", attempt: 1 };
  #failure: Error | undefined;
  #isLeaving = false;

  /** Starts to connect, in the background. */
  constructor(options: LinkOptions) {
    this.account = new Account(options.endpoint, options.token);
    this.#feed = new ReaderFeed({
      cursors: options.cursors ?? new MemoryCursors(),
      markers: this.#markers,
      deliveredMarkers: options.deliveredMarkers ?? options.receiveOnly !== true,
      readEvents: options.readEvents ?? true,
      maxEvents: options.maxBufferedEvents ?? 1_000,
      maxBytes: maxBufferedBytes,
      onFailure: (error) => this.#fail(error),
    });
    if (options.receiveOnly !== true) {
      this.#sender = new Sender(
        options.queue ?? new MemorySendQueue(),
        { holdBackAfterMs: options.holdBackAfterMs ?? hourMs, ...unsentBounds },
        {
          refusedLocally: (message, error) => this.#feed.refused(message, error, undefined),
          heldBack: (messages) => this.#feed.heldBack(messages),
          copied: () => this.#feed.copied(),
          failed: (error) => this.#fail(error),
        },
      );
    }
    this.#streams = new StreamRunner({
      options,
      account: this.account,
      feed: this.#feed,
      markers: this.#markers,
      sender: this.#sender,
      signal: this.#closing.signal,
      onState: (state) => this.#setState(state),
    });
    this.#reconnector = new Reconnector({
      backoff: new Backoff(options.backoff),
      signal: this.#closing.signal,
      onState: (state) => this.#setState(state),
      attempt: () => this.#streams.run(),
      forgetCursor: (index) => this.#streams.forgetCursor(index),
    });
    this.#run = this.#runToEnd();
  }

  /** All events, in order. Only one reader at a time; its loop ends when the link has ended. */
  get events(): AsyncIterable<LinkEvent> {
    return this.#feed.events;
  }

  /** The current state. Each change is also an event. */
  get state(): LinkState {
    return this.#state;
  }

  /**
   * Sends a text. The message is queued first, sent as soon as a stream is open, and sent again after each loss of the
   * stream until the server acks or refuses it. The server stores it once.
   * @throws QueueFullError if too much is unsent, LinkEndedError if the link has ended
   */
  send(target: SendTarget, text: string): Sending {
    if (this.#sender === undefined) throw new LinkEndedError("This link only receives.");
    return this.#sender.send(target, Content.encode(textContent(text)).finish());
  }

  /**
   * Resolves when every message is acked or refused, except those that are held back.
   * @throws LinkEndedError if the link ends before that
   */
  async settled(): Promise<void> {
    await this.#sender?.settled();
  }

  /** Messages that were unsent for too long, and that a person has to release or drop. */
  get heldBack(): readonly UnsentMessage[] {
    return this.#sender?.heldBack ?? [];
  }

  /** Sends a message that was held back. Returns false if it is no longer held. */
  release(clientMessageId: bigint): boolean {
    return this.#sender?.release(clientMessageId) ?? false;
  }

  /** Removes a message that was held back. Returns false if it is no longer held. */
  drop(clientMessageId: bigint): boolean {
    return this.#sender?.drop(clientMessageId) ?? false;
  }

  /** Marks the conversation as read up to this seq. The marker is sent within 200 ms, or after reconnecting. */
  markRead(conversationId: string, seq: bigint): void {
    this.#feed.markRead(conversationId, seq);
  }

  /**
   * Announces that the user is typing or has stopped. The notice is dropped while no stream is open, because it would
   * be out of date later.
   */
  setTyping(target: ConversationTarget, typing: boolean): void {
    if (!this.#typing.admits(JSON.stringify([target, typing]))) return;
    this.#streams.write({ $case: "setTyping", value: { target: wireTarget(target), typing } });
  }

  /** Reports that a person is active at this device. The report is dropped while no stream is open. */
  reportActivity(): void {
    this.#streams.write({ $case: "reportActivity", value: {} });
  }

  /** Ends the delay before the next attempt to connect. Does nothing if the link is not waiting. */
  retryNow(): void {
    this.#reconnector.retryNow();
  }

  /**
   * Call it before the link is disposed of, if its user leaves deliberately: others then see the user offline at once,
   * instead of after the grace period. A link that only receives does not support it.
   */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Ends the link within about a second. Unsent messages stay in the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed.close();
    this.#markers.flush();
    // The server performs no command after Leave, so it is the last one.
    if (this.#isLeaving) this.#streams.write({ $case: "leave", value: { processId: "" } });
    this.#closing.abort();
    const timer = setTimeout(() => this.#streams.cancel(), endMs);
    try {
      await this.#streams.end(endMs);
      await this.#run;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Never rejects: an error becomes the ending. */
  async #runToEnd(): Promise<void> {
    let ending: LinkEnding;
    try {
      ending = await this.#reconnector.run();
    } catch (error) {
      ending = { kind: "failed", cause: error instanceof Error ? error : new Error(String(error)) };
    }
    this.#feed.save();
    this.#markers[Symbol.dispose]();
    if (this.#failure !== undefined) ending = { kind: "failed", cause: this.#failure };
    this.#state = { phase: "ended", ending };
    this.#sender?.[Symbol.dispose]();
    this.#feed.end(this.#state);
  }

  #setState(state: LinkState): void {
    if (this.#closing.signal.aborted) return;
    this.#state = state;
    this.#feed.state(state);
  }

  /** Ends the link after an error of the client itself. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#closing.abort();
    this.#streams.cancel();
  }
}
