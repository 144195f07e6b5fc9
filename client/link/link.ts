// The connection of one session to its server: connects, catches up, stays, comes back, and sends what is unsent once.
import { Command, type Hello } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Marker } from "../../gen/parley/chat/v1/conversation.ts";
import { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { Event, Limits, Welcome } from "../../gen/parley/chat/v1/event.ts";
import { fromServiceError, RpcError } from "../../rpc/status/status.ts";
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
import { Account, textContent } from "./server/account.ts";
import { Backoff } from "./server/backoff.ts";
import { decideRetry } from "./server/retry-decision.ts";
import { type ChatStream, openConnect, openFollow } from "./server/stream.ts";
import { type ReaderWait, waitForReader } from "./wait-for-reader.ts";
import { after, whenAborted } from "./waiting.ts";

const maxBufferedBytes = 4 * 1024 * 1024;
const unsentBounds = { maxUnsent: 10_000, maxUnsentBytes: 16 * 1024 * 1024 };
const hourMs = 3_600_000;
/** Cursors in a Hello, until a Welcome says how many the server takes. */
const firstMaxCursors = 1_000;
/** A stream that was live for this long, ms, was a good one: the next failure is a first one. */
const goodStreamMs = 5_000;
/** How long an orderly end may take, ms. */
const endMs = 1_000;
/** A repeated "types" within this time, ms, says nothing new. */
const typingMs = 2_000;

/** Opens a link. It connects by itself; dispose of it to end it. */
export function openLink(options: LinkOptions): Link {
  return new Link(options);
}

/** The connection of one session to its server: comes back by itself, hands out each entry once, sends each message once. */
export class Link implements AsyncDisposable {
  /** Calls in the same session. */
  readonly account: Account;
  readonly #options: LinkOptions;
  readonly #feed: ReaderFeed;
  readonly #markers = new MarkerSender();
  readonly #sender: Sender | undefined;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  readonly #behind: ReaderWait;
  readonly #run: Promise<void>;
  #state: LinkState = { phase: "connecting", attempt: 1 };
  #serverId: string | undefined;
  #limits: Limits | undefined;
  #hello: Hello | undefined;
  #stream: ChatStream | undefined;
  #liveSince: number | undefined;
  #wakeUp: (() => void) | undefined;
  #failure: Error | undefined;
  #telling: Promise<void> = Promise.resolve();
  #typing: { key: string; time: number } | undefined;

  /** Connects at once, in the background. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.account = new Account(options.endpoint, options.token);
    this.#serverId = options.serverId;
    this.#backoff = new Backoff(options.backoff);
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
          refusedHere: (message, error) => this.#feed.refused(message, error, undefined),
          heldBack: (messages) => this.#feed.heldBack(messages),
          failed: (error) => this.#fail(error),
        },
      );
    }
    this.#behind = {
      account: this.account,
      feed: this.#feed,
      sender: this.#sender,
      signal: this.#closing.signal,
      refused: (clientMessageId, error) => this.#refused(clientMessageId, error, undefined),
    };
    this.#run = this.#live();
  }

  /** What happens, in order. One reader at a time; the loop ends when the link has ended. */
  get events(): AsyncIterable<LinkEvent> {
    return this.#feed.events;
  }

  /** Where it is now. Every change is an event too. */
  get state(): LinkState {
    return this.#state;
  }

  /**
   * Sends a text: queued before anything else, sent as soon as a stream is open, again after every loss until it is
   * acked or refused, and stored once.
   * @throws QueueFullError where too much is unsent, LinkEndedError where the link has ended
   */
  send(target: SendTarget, text: string): Sending {
    if (this.#sender === undefined) throw new LinkEndedError("This link only receives.");
    return this.#sender.send(target, Content.encode(textContent(text)).finish());
  }

  /** Resolves when everything is acked or refused but what is held back. @throws LinkEndedError where it ends before */
  async settled(): Promise<void> {
    await this.#sender?.settled();
  }

  /** Messages unsent for too long to go by themselves. */
  get heldBack(): readonly UnsentMessage[] {
    return this.#sender?.heldBack ?? [];
  }

  /** Sends a message that was held back. False where it is not there any more. */
  release(clientMessageId: bigint): boolean {
    return this.#sender?.release(clientMessageId) ?? false;
  }

  /** Forgets a message that was held back. False where it is not there any more. */
  drop(clientMessageId: bigint): boolean {
    return this.#sender?.drop(clientMessageId) ?? false;
  }

  /** The user has seen the conversation up to here. Told within 200 ms, or when the link is back. */
  markRead(conversationId: string, seq: bigint): void {
    this.#feed.markRead(conversationId, seq);
  }

  /** The user types, or has ceased to. Lost where the link is not open: it would be stale. */
  setTyping(target: ConversationTarget, typing: boolean): void {
    const key = JSON.stringify([target, typing]);
    const now = performance.now();
    if (this.#typing?.key === key && now - this.#typing.time < typingMs) return;
    this.#typing = { key, time: now };
    this.#write({ $case: "setTyping", value: { target: wireTarget(target), typing } });
  }

  /** A person is at work at this device. Lost where the link is not open. */
  reportActivity(): void {
    this.#write({ $case: "reportActivity", value: {} });
  }

  /** While waiting: tries again now (the network is back, or the person is impatient). */
  retryNow(): void {
    this.#wakeUp?.();
  }

  /** Ends the link within about a second. What is unsent stays in its queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#feed.close();
    this.#markers.flush();
    this.#closing.abort();
    const stream = this.#stream;
    const timer = setTimeout(() => stream?.[Symbol.dispose](), endMs);
    try {
      using late = after(endMs);
      await Promise.race([this.#telling, late.promise]);
      await stream?.end();
      await this.#run;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Never rejects: whatever fails becomes the ending. */
  async #live(): Promise<void> {
    let ending: LinkEnding;
    try {
      ending = await this.#stay();
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

  async #stay(): Promise<LinkEnding> {
    for (let attempt = 1; !this.#closing.signal.aborted; attempt++) {
      this.#setState({ phase: "connecting", attempt });
      const failure = await this.#attempt();
      if (this.#closing.signal.aborted) break;
      if (this.#liveSince !== undefined && performance.now() - this.#liveSince > goodStreamMs) {
        this.#backoff.reset();
        attempt = 0;
      }
      this.#liveSince = undefined;
      const verdict = decideRetry(failure);
      if (verdict.kind === "end") return verdict.ending;
      if (verdict.kind === "reset" && !this.#forgetCursor(verdict.cursorIndex)) {
        return { kind: "refused", cause: fromServiceError(failure) };
      }
      await this.#wait(verdict.kind === "reset" ? 0 : this.#backoff.next(verdict.floorMs), failure);
    }
    return { kind: "closed" };
  }

  /** One stream from its dialling to its end. Resolves to why it ended. */
  async #attempt(): Promise<Error> {
    try {
      const dialled = await this.#orClosing(this.#options.endpoint.connect());
      const { beforeStream } = this.#options;
      if (beforeStream !== undefined) await this.#orClosing(beforeStream());
      // Both may have come at once: a stream that is opened now would be ended by nobody.
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
      return new BrokenStreamError("The server ended the stream without saying why.");
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
        if (this.#feed.full) await waitForReader(this.#behind);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #opened(raw: Event, stream: ChatStream): void {
    if (raw.kind?.$case !== "welcome")
      throw new BrokenStreamError("The server's first event was no Welcome.");
    const welcome: Welcome = raw.kind.value;
    if (this.#serverId !== undefined && this.#serverId !== welcome.serverId) {
      this.#serverId = welcome.serverId;
      this.#sender?.holdAll();
      this.#feed.reset(undefined, "server-changed");
      throw new BrokenStreamError("The server's data is not what it was.");
    }
    this.#serverId = welcome.serverId;
    this.#limits = welcome.limits;
    this.#feed.welcome(welcomed(welcome, raw));
    this.#setState({ phase: "catching-up" });
    this.#markers.streamOpened((markers) => this.#tellMarkers(markers));
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

  #tellMarkers(markers: Marker[]): void {
    if (this.#options.receiveOnly !== true) {
      this.#write({ $case: "setMarkers", value: { markers } });
      return;
    }
    this.#telling = this.account.setMarkers(markers).catch((error: unknown) => {
      if (error instanceof RpcError && error.reason !== "") this.#feed.refused(undefined, error, undefined);
      else for (const marker of markers) this.#markers.raise(marker);
    });
  }

  #write(kind: NonNullable<Command["kind"]>): void {
    if (this.#state.phase === "live" || this.#state.phase === "catching-up") {
      this.#stream?.write(Command.encode({ kind }).finish());
    }
  }

  /** False where nothing is left to forget: the refusal was about something else. */
  #forgetCursor(index: number | undefined): boolean {
    const cursors = this.#hello?.cursors ?? [];
    if (cursors.length === 0) return false;
    const conversationId = index === undefined ? undefined : cursors[index]?.conversationId;
    this.#feed.reset(conversationId, "cursor-refused");
    return true;
  }

  async #wait(delayMs: number, cause: Error): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeUp = resolve;
    this.#setState({ phase: "waiting", retryTime: new Date(Date.now() + delayMs), cause });
    using time = after(delayMs);
    using closing = whenAborted(this.#closing.signal);
    await Promise.race([promise, time.promise, closing.promise]);
    this.#wakeUp = undefined;
  }

  #setState(state: LinkState): void {
    if (this.#closing.signal.aborted) return;
    this.#state = state;
    this.#feed.state(state);
  }

  /** Ends the link for a failure on this side. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#closing.abort();
    this.#stream?.[Symbol.dispose]();
  }

  async #orClosing<T>(work: Promise<T>): Promise<T> {
    using closing = whenAborted(this.#closing.signal);
    const closed = closing.promise.then(() => {
      throw new LinkEndedError("The link was closed.");
    });
    return await Promise.race([work, closed]);
  }
}
