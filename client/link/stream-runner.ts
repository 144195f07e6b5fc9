// Runs the streams of a link, one after another: opens each, and passes its events to the feed, the sender and the
// markers.
import { Command, type Hello } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Marker } from "../../gen/parley/chat/v1/conversation.ts";
import type { Event, Limits, Welcome } from "../../gen/parley/chat/v1/event.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { waitFor } from "../../time/wait.ts";
import type { LinkOptions } from "./link-options.ts";
import { BrokenStreamError, LinkEndedError, refusal, ServerChangedError } from "./model/errors.ts";
import type { LinkState } from "./model/events.ts";
import { welcomed } from "./receiving/event-reader.ts";
import type { MarkerSender } from "./receiving/marker-sender.ts";
import type { ReaderFeed } from "./receiving/reader-feed.ts";
import type { Sender } from "./sending/sender.ts";
import type { Account } from "./server/account.ts";
import type { AttemptResult } from "./server/reconnector.ts";
import { type ChatStream, openConnect, openFollow } from "./server/stream.ts";
import { waitForReader } from "./slow-reader.ts";

/** The most cursors in a Hello until a Welcome names the server's limit. */
const firstMaxCursors = 1_000;

export interface StreamRunnerParts {
  readonly options: LinkOptions;
  readonly account: Account;
  readonly feed: ReaderFeed;
  readonly markers: MarkerSender;
  /** Undefined if the link only receives. */
  readonly sender: Sender | undefined;
  /** Aborted when the link ends. */
  readonly signal: AbortSignal;
  readonly onState: (state: LinkState) => void;
}

export class StreamRunner {
  readonly #parts: StreamRunnerParts;
  /** The id that the server named last. */
  #serverId: string | undefined;
  /** The id that the program has stored. */
  #storedServerId: string | undefined;
  #limits: Limits | undefined;
  #hello: Hello | undefined;
  #stream: ChatStream | undefined;
  #phase: "opening" | "catching-up" | "live" = "opening";
  #liveSince: number | undefined;
  /** The last call that sets markers. */
  #settingMarkers: Promise<void> = Promise.resolve();

  constructor(parts: StreamRunnerParts) {
    this.#parts = parts;
    this.#serverId = parts.options.serverId;
    this.#storedServerId = parts.options.serverId;
  }

  /** Runs one stream, from connecting to its end. Never rejects. */
  async run(): Promise<AttemptResult> {
    this.#liveSince = undefined;
    const failure = await this.#run();
    const liveMs = this.#liveSince === undefined ? undefined : performance.now() - this.#liveSince;
    return { failure, liveMs };
  }

  /** Sends a command; drops it while no stream is open. */
  write(kind: NonNullable<Command["kind"]>): void {
    if (this.#phase !== "opening") this.#stream?.write(Command.encode({ kind }).finish());
  }

  /** Forgets the cursor at the index of the last Hello; undefined: all. Returns false if the Hello had none. */
  forgetCursor(index: number | undefined): boolean {
    const cursors = this.#hello?.cursors ?? [];
    if (cursors.length === 0) return false;
    const conversationId = index === undefined ? undefined : cursors[index]?.conversationId;
    this.#parts.feed.reset(conversationId, "cursor-refused");
    return true;
  }

  /**
   * Half-closes the open stream when the last markers are set or `ms` milliseconds have passed. The server then ends
   * it.
   */
  async end(ms: number): Promise<void> {
    const stream = this.#stream;
    await waitFor(this.#settingMarkers, { ms });
    await stream?.end();
  }

  /** Cancels the open stream. */
  cancel(): void {
    this.#stream?.[Symbol.dispose]();
  }

  /** Resolves to the error that ended the stream. */
  async #run(): Promise<Error> {
    const { options, feed, markers, sender, signal } = this.#parts;
    try {
      const dialled = await this.#unlessClosed(options.endpoint.connect());
      if (options.beforeStream !== undefined) await this.#unlessClosed(options.beforeStream(this.#serverId));
      // A stream that was opened after the abort would never be ended.
      if (signal.aborted) throw new LinkEndedError("The link was closed.");
      const hello = {
        client: options.client,
        features: [...(options.features ?? [])],
        cursors: feed.positions.beginStream(this.#limits?.maxCursors || firstMaxCursors),
        processId: options.processId ?? "",
      };
      this.#hello = hello;
      const open = options.receiveOnly === true ? openFollow : openConnect;
      using stream = open(dialled, options.token, hello);
      this.#stream = stream;
      await this.#read(stream);
      return new BrokenStreamError("The server ended the stream without a status.");
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#stream = undefined;
      this.#phase = "opening";
      sender?.streamLost();
      markers.streamLost();
    }
  }

  async #read(stream: ChatStream): Promise<void> {
    const { options, account, feed, sender, signal } = this.#parts;
    const refused = (clientMessageId: bigint, error: RpcError): void =>
      this.#refused(clientMessageId, error, undefined);
    const timer = setTimeout(() => stream[Symbol.dispose](), options.welcomeTimeoutMs ?? 15_000);
    try {
      for await (const events of stream) {
        for (const raw of events) {
          if (this.#phase === "opening") {
            this.#opened(raw, stream);
            clearTimeout(timer);
          } else this.#take(raw);
        }
        if (feed.full) await waitForReader({ account, feed, sender, signal, refused });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #opened(raw: Event, stream: ChatStream): void {
    const { options, feed, markers, sender, onState } = this.#parts;
    if (raw.kind?.$case !== "welcome")
      throw new BrokenStreamError("The first event of the stream is not a Welcome.");
    const welcome: Welcome = raw.kind.value;
    if (this.#serverId !== undefined && this.#serverId !== welcome.serverId) {
      this.#serverId = welcome.serverId;
      sender?.holdAll();
      feed.reset(undefined, "server-changed");
      throw new ServerChangedError("The server has other data than before.");
    }
    this.#serverId = welcome.serverId;
    const known = this.#storedServerId;
    this.#storedServerId = welcome.serverId;
    if (known !== undefined && known !== welcome.serverId) options.onServerChanged?.(welcome.serverId);
    this.#limits = welcome.limits;
    feed.welcome(welcomed(welcome, raw));
    this.#phase = "catching-up";
    onState({ phase: "catching-up" });
    markers.streamOpened((raised) => this.#sendMarkers(raised));
    sender?.streamOpened(welcome.limits, (command) => stream.write(command));
  }

  #take(raw: Event): void {
    const { feed, sender, onState } = this.#parts;
    switch (raw.kind?.$case) {
      case "ack": {
        const message = sender?.acked(raw.kind.value);
        if (message === undefined) feed.ackedAgain(raw.kind.value);
        else feed.acked(message, raw.kind.value);
        return;
      }
      case "refused": {
        const { clientMessageId, reason, message, field, retryDelay, metadata } = raw.kind.value;
        const delayMs = retryDelay && Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1_000_000;
        this.#refused(clientMessageId, refusal(reason, message, field, delayMs, metadata), raw);
        return;
      }
      case "caughtUp":
        feed.take(raw, false);
        this.#liveSince = performance.now();
        this.#phase = "live";
        onState({ phase: "live" });
        return;
      default:
        feed.take(raw, this.#phase === "live");
    }
  }

  #refused(clientMessageId: bigint, error: RpcError, raw: Event | undefined): void {
    const { feed, sender } = this.#parts;
    const message = sender?.refused(clientMessageId, error);
    if (message !== undefined || clientMessageId === 0n) feed.refused(message, error, raw);
  }

  #sendMarkers(raised: Marker[]): void {
    const { options, account, feed, markers } = this.#parts;
    if (options.receiveOnly !== true) {
      this.write({ $case: "setMarkers", value: { markers: raised } });
      return;
    }
    this.#settingMarkers = account.setMarkers(raised).catch((error: unknown) => {
      if (error instanceof RpcError && error.reason !== "") feed.refused(undefined, error, undefined);
      else for (const marker of raised) markers.raise(marker);
    });
  }

  async #unlessClosed<T>(work: Promise<T>): Promise<T> {
    const waited = await waitFor(work, { signal: this.#parts.signal });
    if (waited.status === "done") return waited.value;
    throw new LinkEndedError("The link was closed.");
  }
}
