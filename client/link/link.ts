// The connection of one session to its server: it connects, catches up, reconnects, and sends each message once.
import { Command, type Hello } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Marker } from "../../gen/parley/chat/v1/conversation.ts";
import { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { Event, Limits, Welcome } from "../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { waitFor } from "../../time/wait.ts";
import type { LinkOptions } from "./link-options.ts";
import { MemoryCursors } from "./model/cursors.ts";
import { BrokenStreamError, LinkEndedError, refusal } from "./model/errors.ts";
import type { LinkEnding, LinkEvent, LinkState } from "./model/events.ts";
import { MemorySendQueue, type SendTarget, type UnsentMessage } from "./model/send-queue.ts";
import { type ConversationTarget, wireTarget } from "./model/target.ts";
import { welcomed } from "./receiving/event-reader.ts";
import { MarkerSender } from "./receiving/marker-sender.ts";
import { ReaderFeed } from "./receiving/reader-feed.ts";
import { Sender, type Sending } from "./sending/sender.ts";
import { TypingThrottle } from "./sending/typing-throttle.ts";
import { Account, textContent } from "./server/account.ts";
import { Backoff } from "./server/backoff.ts";
import { type AttemptResult, Reconnector } from "./server/reconnector.ts";
import { type ChatStream, openConnect, openFollow } from "./server/stream.ts";
import { type SlowReaderContext, waitForReader } from "./slow-reader.ts";

const maxBufferedBytes = 4 * 1024 * 1024;
const unsentBounds = { maxUnsent: 10_000, maxUnsentBytes: 16 * 1024 * 1024 };
const hourMs = 3_600_000;
/** The most cursors in a Hello until a Welcome names the server's limit. */
const firstMaxCursors = 1_000;
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
  readonly #options: LinkOptions;
  readonly #feed: ReaderFeed;
  readonly #markers = new MarkerSender();
  readonly #sender: Sender | undefined;
  readonly #reconnector: Reconnector;
  readonly #closing = new AbortController();
  readonly #slowReader: SlowReaderContext;
  readonly #typing = new TypingThrottle();
  readonly #run: Promise<void>;
  #state: LinkState = { phase: "connecting", attempt: 1 };
  #serverId: string | undefined;
  #limits: Limits | undefined;
  #hello: Hello | undefined;
  #stream: ChatStream | undefined;
  #liveSince: number | undefined;
  #failure: Error | undefined;
  /** The last call that sets markers. */
  #settingMarkers: Promise<void> = Promise.resolve();

  /** Starts to connect, in the background. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.account = new Account(options.endpoint, options.token);
    this.#serverId = options.serverId;
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
          failed: (error) => this.#fail(error),
        },
      );
    }
    this.#slowReader = {
      account: this.account,
      feed: this.#feed,
      sender: this.#sender,
      signal: this.#closing.signal,
      refused: (clientMessageId, error) => this.#refused(clientMessageId, error, undefined),
    };
    this.#reconnector = new Reconnector({
      backoff: new Backoff(options.backoff),
      signal: this.#closing.signal,
      onState: (state) => this.#setState(state),
      attempt: () => this.#attempt(),
      forgetCursor: (index) => this.#forgetCursor(index),
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
   * @throws QueueFullError where too much is unsent, LinkEndedError where the link has ended
   */
  send(target: SendTarget, text: string): Sending {
    if (this.#sender === undefined) throw new LinkEndedError("This link only receives.");
    return this.#sender.send(target, Content.encode(textContent(text)).finish());
  }

  /**
   * Resolves when every message is acked or refused, except those that are held back.
   * @throws LinkEndedError where the link ends before that
   */
  async settled(): Promise<void> {
    await this.#sender?.settled();
  }

  /** Messages that were unsent for too long, and that a person has to release or drop. */
  get heldBack(): readonly UnsentMessage[] {
    return this.#sender?.heldBack ?? [];
  }

  /** Sends a message that was held back. Returns false where it is no longer held. */
  release(clientMessageId: bigint): boolean {
    return this.#sender?.release(clientMessageId) ?? false;
  }

  /** Removes a message that was held back. Returns false where it is no longer held. */
  drop(clientMessageId: bigint): boolean {
    return this.#sender?.drop(clientMessageId) ?? false;
  }

  /** Marks the conversation as read up to this seq. It is sent within 200 ms, or after the next reconnection. */
  markRead(conversationId: string, seq: bigint): void {
    this.#feed.markRead(conversationId, seq);
  }

  /**
   * Announces that the user types or has stopped. It is dropped while no stream is open, as it would be out of date.
   */
  setTyping(target: ConversationTarget, typing: boolean): void {
    if (!this.#typing.admits(JSON.stringify([target, typing]))) return;
    this.#write({ $case: "setTyping", value: { target: wireTarget(target), typing } });
  }

  /** Reports that a person is active at this device. It is dropped while no stream is open. */
  reportActivity(): void {
    this.#write({ $case: "reportActivity", value: {} });
  }

  /** Ends the delay before the next attempt to connect. Does nothing while the link does not wait. */
  retryNow(): void {
    this.#reconnector.retryNow();
  }

  /** Ends the link within about a second. Unsent messages stay in the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed.close();
    this.#markers.flush();
    this.#closing.abort();
    const stream = this.#stream;
    const timer = setTimeout(() => stream?.[Symbol.dispose](), endMs);
    try {
      await waitFor(this.#settingMarkers, { ms: endMs });
      await stream?.end();
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

  /** Runs one stream, from connecting to its end. */
  async #attempt(): Promise<AttemptResult> {
    this.#liveSince = undefined;
    const failure = await this.#runStream();
    const liveMs = this.#liveSince === undefined ? undefined : performance.now() - this.#liveSince;
    return { failure, liveMs };
  }

  /** Resolves to the error that ended the stream. */
  async #runStream(): Promise<Error> {
    try {
      const dialled = await this.#unlessClosed(this.#options.endpoint.connect());
      const { beforeStream } = this.#options;
      if (beforeStream !== undefined) await this.#unlessClosed(beforeStream());
      // A stream that was opened after the abort would never be ended.
      if (this.#closing.signal.aborted) throw new LinkEndedError("The link was closed.");
      const hello = {
        client: this.#options.client,
        features: [...(this.#options.features ?? [])],
        cursors: this.#feed.positions.beginStream(this.#limits?.maxCursors || firstMaxCursors),
        processId: this.#options.processId ?? "",
      };
      this.#hello = hello;
      const open = this.#options.receiveOnly === true ? openFollow : openConnect;
      using stream = open(dialled, this.#options.token, hello);
      this.#stream = stream;
      await this.#read(stream);
      return new BrokenStreamError("The server ended the stream without a status.");
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#stream = undefined;
      this.#sender?.streamLost();
      this.#markers.streamLost();
    }
  }

  async #read(stream: ChatStream): Promise<void> {
    const timer = setTimeout(() => stream[Symbol.dispose](), this.#options.welcomeTimeoutMs ?? 15_000);
    let open = false;
    try {
      for await (const events of stream) {
        for (const raw of events) {
          if (!open) {
            this.#opened(raw, stream);
            clearTimeout(timer);
            open = true;
          } else this.#take(raw);
        }
        if (this.#feed.full) await waitForReader(this.#slowReader);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #opened(raw: Event, stream: ChatStream): void {
    if (raw.kind?.$case !== "welcome")
      throw new BrokenStreamError("The first event of the stream is not a Welcome.");
    const welcome: Welcome = raw.kind.value;
    if (this.#serverId !== undefined && this.#serverId !== welcome.serverId) {
      this.#serverId = welcome.serverId;
      this.#sender?.holdAll();
      this.#feed.reset(undefined, "server-changed");
      throw new BrokenStreamError("The server has other data than before.");
    }
    this.#serverId = welcome.serverId;
    this.#limits = welcome.limits;
    this.#feed.welcome(welcomed(welcome, raw));
    this.#setState({ phase: "catching-up" });
    this.#markers.streamOpened((markers) => this.#sendMarkers(markers));
    this.#sender?.streamOpened(welcome.limits, (command) => stream.write(command));
  }

  #take(raw: Event): void {
    switch (raw.kind?.$case) {
      case "ack": {
        const message = this.#sender?.acked(raw.kind.value);
        if (message === undefined) this.#feed.ackedAgain(raw.kind.value);
        else this.#feed.acked(message, raw.kind.value);
        return;
      }
      case "refused": {
        const { clientMessageId, reason, message, field, retryDelay } = raw.kind.value;
        const delayMs = retryDelay && Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1_000_000;
        this.#refused(clientMessageId, refusal(reason, message, field, delayMs), raw);
        return;
      }
      case "caughtUp":
        this.#feed.take(raw, false);
        this.#liveSince = performance.now();
        this.#setState({ phase: "live" });
        return;
      default:
        this.#feed.take(raw, this.#state.phase === "live");
    }
  }

  #refused(clientMessageId: bigint, error: RpcError, raw: Event | undefined): void {
    const message = this.#sender?.refused(clientMessageId, error);
    if (message !== undefined || clientMessageId === 0n) this.#feed.refused(message, error, raw);
  }

  #sendMarkers(markers: Marker[]): void {
    if (this.#options.receiveOnly !== true) {
      this.#write({ $case: "setMarkers", value: { markers } });
      return;
    }
    this.#settingMarkers = this.account.setMarkers(markers).catch((error: unknown) => {
      if (error instanceof RpcError && error.reason !== "") this.#feed.refused(undefined, error, undefined);
      else for (const marker of markers) this.#markers.raise(marker);
    });
  }

  #write(kind: NonNullable<Command["kind"]>): void {
    if (this.#state.phase === "live" || this.#state.phase === "catching-up") {
      this.#stream?.write(Command.encode({ kind }).finish());
    }
  }

  /** Returns false where the Hello had no cursor: then the server refused something else. */
  #forgetCursor(index: number | undefined): boolean {
    const cursors = this.#hello?.cursors ?? [];
    if (cursors.length === 0) return false;
    const conversationId = index === undefined ? undefined : cursors[index]?.conversationId;
    this.#feed.reset(conversationId, "cursor-refused");
    return true;
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
    this.#stream?.[Symbol.dispose]();
  }

  async #unlessClosed<T>(work: Promise<T>): Promise<T> {
    const waited = await waitFor(work, { signal: this.#closing.signal });
    if (waited.status === "done") return waited.value;
    throw new LinkEndedError("The link was closed.");
  }
}
