// The chat in plain lines, for pipes, scripts and dumb terminals: each line is answered before the next one is read.

import { type Clock, systemClock } from "../../../../time/clock.ts";
import { waitFor } from "../../../../time/wait.ts";
import type { Link } from "../../../link/link.ts";
import type { PrivateSettings } from "../../private/settings.ts";
import type { PlainIO } from "../../terminal/plain-io.ts";
import type { EndingSignal } from "../../terminal/terminal-host.ts";
import { Chat } from "../chat.ts";
import { commandsOf } from "../commands/table.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { DisplayItem } from "../model/display-item.ts";
import type { ChatOutcome } from "../model/outcome.ts";
import type { PrivateLink } from "../model/private-link.ts";
import { plainLines } from "./render-plain.ts";

export interface PlainOptions {
  readonly link: ChatLink & Pick<Link, "events">;
  readonly address: string;
  readonly me: string;
  /** Every way to leave logs out. */
  readonly logsOut?: boolean;
  /** This run logged in, so the end of the input logs out. A stored login stays, because other programs use it. */
  readonly isNewLogin: boolean;
  readonly privateChats: PrivateLink;
  readonly privateSettings: PrivateSettings;
  readonly io: PlainIO;
  /** Aborted by a signal that ends the chat, with the signal's name as its reason. */
  readonly interrupted: AbortSignal;
  /** The system's clock if left out. */
  readonly clock?: Clock;
}

/** How long the end of the input waits for unanswered messages while the connection is lost, ms. */
const LAST_WAIT_MS = 60_000;

/**
 * Runs until the input ends, a command leaves, the link ends, or the reader of the output goes away. No line is read
 * before the server has been reached, so that a script that cannot reach it loses no input.
 */
export async function runPlain(options: PlainOptions): Promise<ChatOutcome> {
  return new Plain(options).run();
}

class Plain {
  readonly #options: PlainOptions;
  readonly #clock: Clock;
  readonly #chat: Chat;
  readonly #left = Promise.withResolvers<ChatOutcome>();
  readonly #ready = Promise.withResolvers<void>();
  #written: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: PlainOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { link, address, me } = options;
    this.#chat = new Chat({
      link,
      address,
      me,
      bell: "never",
      clock: this.#clock,
      commands: commandsOf(options.logsOut === true),
      privateChats: options.privateChats,
      privateSettings: options.privateSettings,
      atScreen: false,
      commandKey: options.io.isTerminal ? "none" : undefined,
      leave: (how) => this.#end({ kind: how }),
      display: {
        show: (item) => this.#show(item),
        refresh: () => undefined,
        bell: () => undefined,
        putBack: () => false,
      },
    });
  }

  async run(): Promise<ChatOutcome> {
    using _chat = this.#chat;
    const { io, interrupted } = this.#options;
    const onInterrupt = (): void => this.#end({ kind: "signal", signal: interrupted.reason as EndingSignal });
    interrupted.addEventListener("abort", onInterrupt);
    if (interrupted.aborted) onInterrupt();
    void io.outputGone.then((failure) =>
      this.#end(
        failure === undefined
          ? { kind: "terminal-gone" }
          : { kind: "ended", ending: { kind: "failed", cause: failure }, reached: true },
      ),
    );
    const failed = (error: unknown): void => this.#left.reject(error);
    this.#follow().then((outcome) => this.#end(outcome), failed);
    this.#readLines().then((outcome) => this.#end(outcome), failed);
    this.#followPrivate().catch(failed);
    try {
      const outcome = await this.#left.promise;
      await this.#written;
      return outcome;
    } finally {
      interrupted.removeEventListener("abort", onInterrupt);
    }
  }

  async #follow(): Promise<ChatOutcome> {
    let reached = false;
    for await (const event of this.#options.link.events) {
      if (!reached && event.type === "state" && event.state.phase === "waiting") {
        return { kind: "cannot-connect", cause: event.state.cause };
      }
      this.#options.privateChats.handleLinkEvent(event);
      await this.#chat.take(event);
      await this.#written;
      if (event.type === "state" && event.state.phase === "live") {
        reached = true;
        this.#ready.resolve();
      }
    }
    return this.#chat.outcome;
  }

  async #followPrivate(): Promise<void> {
    for await (const event of this.#options.privateChats.events) {
      await this.#chat.takePrivate(event);
      await this.#written;
    }
  }

  async #readLines(): Promise<ChatOutcome> {
    await this.#ready.promise;
    for await (const read of this.#options.io.lines()) {
      if (this.#ended) break;
      if (read.kind === "refused") {
        const problem = read.problem === "too-long" ? "too long" : "not valid UTF-8";
        this.#show({ kind: "error", text: `That line is ${problem} and was ignored.` });
      } else await this.#chat.enter(read.text);
      await this.#written;
      if (this.#ended) break;
    }
    return this.#finish();
  }

  /** Waits, within LAST_WAIT_MS, until everything that was sent is answered and the answers are written. */
  async #finish(): Promise<ChatOutcome> {
    const deadline = new AbortController();
    using _timer = this.#clock.after(LAST_WAIT_MS, () => deadline.abort());
    const settled = this.#options.link.settled().then(
      () => this.#chat.answered(),
      // The link ended meanwhile, and #follow returns the outcome.
      () => new Promise<never>(() => undefined),
    );
    const { status } = await waitFor(settled, { signal: deadline.signal });
    if (status === "done")
      return this.#options.isNewLogin ? { kind: "logout" } : { kind: "quit", inputEnded: true };
    return { kind: "unsent", messages: this.#chat.status.unanswered };
  }

  #end(outcome: ChatOutcome): void {
    this.#ended = true;
    this.#left.resolve(outcome);
  }

  #show(item: DisplayItem): void {
    for (const line of plainLines(item, new Date(this.#clock.now()))) {
      this.#written = this.#written.then(() => this.#options.io.writeLine(line));
    }
  }
}
