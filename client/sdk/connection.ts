// A link that owns what it stands on: closing it lets go of everything, and its events throw what ended it.
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import { Link } from "../link/link.ts";
import type { LinkOptions } from "../link/link-options.ts";
import type { LinkEvent } from "../link/model/events.ts";
import type { SendTarget } from "../link/model/send-queue.ts";
import type { Sending } from "../link/sending/sender.ts";
import { after } from "../link/waiting.ts";
import type { PrivateChats } from "../peer/private-chats.ts";

/** How long `close` waits for what is on its way, ms. */
const settleMs = 1_000;

/**
 * A message on its way: await it to know that the server has stored it. What it may reject with stands at `done`. The
 * same is told as an event, so that a rejection which nobody hears does no harm.
 */
export interface AwaitableSending extends Promise<Ack>, Sending {}

/** What `connect` gives: a link, with its calls in `account`. Close it, or declare it with `await using`. */
export class Connection extends Link {
  /** The private chats of this device; undefined unless `ConnectOptions.privateChats` asked for them. */
  readonly privateChats: PrivateChats | undefined;
  readonly #resources: AsyncDisposable;
  #closing = false;

  /**
   * @param privateChats get what the link brings for them, as the events are read
   * @param resources what is let go with the link; use `connect`
   */
  constructor(options: LinkOptions, privateChats: PrivateChats | undefined, resources: AsyncDisposable) {
    super(options);
    this.privateChats = privateChats;
    this.#resources = resources;
  }

  /**
   * What happens, in order. One reader at a time. The loop ends after `close`.
   * @throws what ended the link: RpcError where the session is over or the server refuses it, ConnectError where the
   *   server is not to be trusted any more, Error where something failed here, such as the disk
   */
  override get events(): AsyncIterable<LinkEvent> {
    return this.#untilClosed(super.events);
  }

  /**
   * Sends a text: queued before anything else, sent as soon as a stream is open, again after every loss until it is
   * acked or refused, and stored once.
   * @param target a user name alone means that user
   * @throws QueueFullError where too much is unsent, LinkEndedError where the link has ended
   */
  override send(target: SendTarget | string, text: string): AwaitableSending {
    const sending = super.send(
      typeof target === "string" ? { kind: "user", username: target } : target,
      text,
    );
    return Object.assign(sending.done, sending);
  }

  /**
   * Hands out no more events, lets what is on its way be acked, for a second at most, and ends the link. What is unsent
   * stays in its queue. Safe to call from a signal handler while the events are being read, and more than once.
   */
  async close(): Promise<void> {
    this.#closing = true;
    using late = after(settleMs);
    // Rejected where the link has ended already.
    const settled = this.settled().catch(() => undefined);
    await Promise.race([settled, late.promise]);
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
