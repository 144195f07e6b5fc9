// A link that owns its endpoint and its state: `close` releases them, and the loop over its events throws the error
// that ended it.
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import { waitFor } from "../../time/wait.ts";
import { Link } from "../link/link.ts";
import type { LinkOptions } from "../link/link-options.ts";
import type { LinkEvent } from "../link/model/events.ts";
import type { SendTarget } from "../link/model/send-queue.ts";
import type { Sending } from "../link/sending/sender.ts";
import type { PrivateChats } from "../peer/private-chats.ts";

/** How long `close` waits for acks, ms. */
const settleMs = 1_000;

/**
 * A queued message. Await it to know that the server has stored it; `Sending.done` lists the errors. The outcome is
 * also an event, so a rejection that is not handled does no harm.
 */
export interface AwaitableSending extends Promise<Ack>, Sending {}

/** The result of `connect`: a link, with unary calls in `account`. Close it, or declare it with `await using`. */
export class Connection extends Link {
  /** The private chats of this device; undefined without `ConnectOptions.privateChats`. */
  readonly privateChats: PrivateChats | undefined;
  readonly #resources: AsyncDisposable;
  #closing = false;

  /**
   * Use `connect` instead.
   * @param privateChats handles each event of the link when the event is read
   * @param resources what to dispose of with the link
   */
  constructor(options: LinkOptions, privateChats: PrivateChats | undefined, resources: AsyncDisposable) {
    super(options);
    this.privateChats = privateChats;
    this.#resources = resources;
  }

  /**
   * All events, in order. Only one reader at a time; its loop ends after `close`.
   * @throws the error that ended the link: RpcError if the session has ended or the server refuses the stream,
   *   ConnectError if the server fails the authentication, Error if the client itself failed, for
   *   example to write to its disk
   */
  override get events(): AsyncIterable<LinkEvent> {
    return this.#untilClosed(super.events);
  }

  /**
   * Sends a text. The message is queued first, sent as soon as a stream is open, and sent again after each loss of the
   * stream until the server acks or refuses it. The server stores it once.
   * @param target a string is a user name
   * @throws QueueFullError if too much is unsent, LinkEndedError if the link has ended
   */
  override send(target: SendTarget | string, text: string): AwaitableSending {
    const sending = super.send(
      typeof target === "string" ? { kind: "user", username: target } : target,
      text,
    );
    return Object.assign(sending.done, sending);
  }

  /**
   * Stops the events, waits up to a second for the acks of queued messages, and ends the link. Unsent messages stay in
   * the queue. It can be called from a signal handler while the events are read, and more than once.
   */
  async close(): Promise<void> {
    this.#closing = true;
    // It rejects if the link has already ended.
    const settled = this.settled().catch(() => undefined);
    await waitFor(settled, { ms: settleMs });
    await super[Symbol.asyncDispose]();
    await this.#resources[Symbol.asyncDispose]();
  }

  /** As `close`. */
  override [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#untilClosed(events: AsyncIterable<LinkEvent>): AsyncGenerator<LinkEvent, void, void> {
    for await (const event of events) {
      this.privateChats?.handleLinkEvent(event);
      yield event;
      if (this.#closing) return;
    }
    const { state } = this;
    if (state.phase === "ended" && state.ending.kind !== "closed") throw state.ending.cause;
  }
}
