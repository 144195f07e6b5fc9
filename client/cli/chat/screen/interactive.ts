// The chat at a screen: connects the chat, the terminal and the link.

import { type Clock, systemClock } from "../../../../time/clock.ts";
import type { Link } from "../../../link/link.ts";
import type { PrivateSettings } from "../../private/settings.ts";
import { type Closed, Screen, type TerminalInput, type TerminalOutput } from "../../terminal/screen.ts";
import type { TerminalHost } from "../../terminal/terminal-host.ts";
import type { Variables } from "../../terminal/text/paint.ts";
import { Chat } from "../chat.ts";
import type { Leaving } from "../command/chat-command.ts";
import { commandsOf } from "../commands/table.ts";
import type { BellSetting } from "../incoming/attention.ts";
import { SerialQueue } from "../input/serial-queue.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { DisplayItem } from "../model/display-item.ts";
import type { ChatOutcome } from "../model/outcome.ts";
import type { PrivateLink } from "../model/private-link.ts";
import { MessageRenderer } from "./render.ts";
import { promptOf, statusOf, titleOf } from "./render-status.ts";

export interface InteractiveOptions {
  readonly link: ChatLink & Pick<Link, "events">;
  readonly address: string;
  readonly me: string;
  /** Every way to leave logs out. */
  readonly logsOut?: boolean;
  readonly privateChats: PrivateLink;
  readonly privateSettings: PrivateSettings;
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly env: Variables;
  readonly bell: BellSetting;
  readonly host?: TerminalHost;
  /** The system's clock if left out. */
  readonly clock?: Clock;
  /** Called when the screen has ended: whether the chat ended by itself, and the lines that nothing was done with. */
  readonly ended?: (byItself: boolean, lines: readonly string[]) => void;
}

/** How often the countdown to the next connection attempt is updated, ms. */
const TICK_MS = 1_000;
/** The most rows of a message; a taller one is folded. */
const MOST_ROWS = 20;
/** The most entered lines that may wait for earlier ones. */
const MOST_WAITING = 1_000;

/**
 * Runs until the user leaves, the link ends or the terminal goes away. Restores the terminal; does not end the link.
 */
export async function runInteractive(options: InteractiveOptions): Promise<ChatOutcome> {
  const interactive = new Interactive(options);
  const outcome = await interactive.run().catch((error: unknown) => {
    options.ended?.(true, interactive.unhandled);
    throw error;
  });
  options.ended?.(endsByItself(outcome), interactive.unhandled);
  return outcome;
}

class Interactive {
  readonly #options: InteractiveOptions;
  readonly #clock: Clock;
  readonly #screen: Screen;
  readonly #chat: Chat;
  readonly #transcript: MessageRenderer;
  readonly #left = Promise.withResolvers<ChatOutcome>();
  /** Resolved when the first attempt to connect has succeeded or failed. */
  readonly #tried = Promise.withResolvers<void>();
  /** Lines typed before the first attempt to connect has ended wait for it. */
  readonly #entered = new SerialQueue({
    after: this.#tried.promise,
    most: MOST_WAITING,
    refused: (error) => this.#show({ kind: "error", text: error.message }),
    failed: (error) => this.#left.reject(error),
  });
  #title = "";
  #isEnded = false;
  /** Entered lines whose turn has not come. */
  readonly #waiting: string[] = [];

  constructor(options: InteractiveOptions) {
    this.#options = options;
    const { link, address, me, bell, input, output, env, host, clock = systemClock } = options;
    this.#clock = clock;
    this.#transcript = new MessageRenderer(new Date(clock.now()));
    this.#chat = new Chat({
      link,
      address,
      me,
      bell,
      clock,
      commands: commandsOf(options.logsOut === true),
      privateChats: options.privateChats,
      privateSettings: options.privateSettings,
      atScreen: true,
      commandKey: "Tab",
      leave: (how: Leaving) => this.#left.resolve({ kind: how }),
      display: {
        show: (item) => this.#show(item),
        refresh: () => this.#refresh(),
        bell: () => this.#screen.bell(),
        putBack: (text) => {
          if (this.#screen.text === "") this.#screen.load(text);
          return this.#screen.text === text;
        },
      },
    });
    const complete = (before: string, text: string) => this.#chat.complete(before, text);
    this.#screen = Screen.open({ input, output, env, complete, ...(host === undefined ? {} : { host }) });
  }

  /** The entered lines whose turn has not come, and the text in the editor. */
  get unhandled(): readonly string[] {
    return [...this.#waiting, this.#screen.text].filter((text) => text.trim() !== "");
  }

  async run(): Promise<ChatOutcome> {
    using chat = this.#chat;
    using screen = this.#screen;
    screen.onSubmit((text) => {
      // Checked now, not when the line's turn comes: a line typed ahead does not answer a later question.
      const isSure = chat.isInDoubt(text);
      this.#inTurn(() => {
        if (chat.isEchoed(text)) this.#show({ kind: "command", text });
        return chat.enter(text, isSure);
      }, text);
    });
    screen.onEdit((text) => chat.edited(text));
    screen.onAction((action) => {
      if (action.kind === "run") this.#inTurn(() => chat.run(action.text), action.text);
      else if (action.kind === "leave") this.#left.resolve({ kind: "quit" });
      else if (action.kind === "leave-armed") this.#notify("Press Ctrl-C again, or Ctrl-D, to leave.");
      else if (action.kind === "next-unread") this.#inTurn(() => chat.openNextUnread());
      else if (action.kind === "focus") chat.focus(action.focused);
      else if (action.kind === "paste-cut") this.#notify("The paste was too long: its end was cut off.");
    });
    using _tick = this.#clock.every(TICK_MS, () => {
      if (chat.status.connection.phase === "waiting") this.#refresh();
    });
    this.#refresh();
    void screen.closed.then((closed) => this.#left.resolve(outcomeOfClosed(closed)));
    // The first outcome counts; later ones are ignored.
    this.#follow().then(
      (outcome) => this.#left.resolve(outcome),
      (error: unknown) => this.#left.reject(error),
    );
    this.#followPrivate().catch((error: unknown) => this.#left.reject(error));
    try {
      return await this.#left.promise;
    } finally {
      this.#isEnded = true;
      chat.showRest();
    }
  }

  async #follow(): Promise<ChatOutcome> {
    for await (const event of this.#options.link.events) {
      this.#options.privateChats.handleLinkEvent(event);
      await this.#chat.take(event);
      if (event.type === "state" && (event.state.phase === "live" || event.state.phase === "waiting")) {
        this.#tried.resolve();
      }
      await this.#screen.flushed();
    }
    return this.#chat.outcome;
  }

  async #followPrivate(): Promise<void> {
    for await (const event of this.#options.privateChats.events) {
      await this.#chat.takePrivate(event);
      await this.#screen.flushed();
    }
  }

  /**
   * Runs the work after all earlier work, so that a line typed after `/open yoda` goes to yoda. Nothing runs after the
   * end of the chat.
   */
  #inTurn(work: () => Promise<void>, text = ""): void {
    const isAccepted = this.#entered.add(async () => {
      if (this.#isEnded) return;
      this.#waiting.shift();
      await work();
    });
    if (isAccepted) this.#waiting.push(text);
    else this.#notify("Too many lines are waiting: that line was ignored.");
  }

  #notify(text: string): void {
    this.#show({ kind: "notice", text, time: new Date(this.#clock.now()) });
  }

  #show(item: DisplayItem): void {
    for (const { text, hang, foldedFor } of this.#transcript.linesOf(item, new Date(this.#clock.now()))) {
      const fold = foldedFor === undefined ? {} : { fold: { rows: MOST_ROWS, hint: foldedFor } };
      this.#screen.print(text, { hang, ...fold });
    }
  }

  #refresh(): void {
    const { status } = this.#chat;
    this.#screen.prompt = promptOf(status);
    this.#screen.status = statusOf(status, new Date(this.#clock.now()));
    const title = titleOf(status);
    if (title !== this.#title) this.#screen.setTitle(title);
    this.#title = title;
  }
}

/** Whether the user did not decide to leave, and may be typing. */
function endsByItself(outcome: ChatOutcome): boolean {
  return outcome.kind === "ended" || outcome.kind === "signal";
}

function outcomeOfClosed(closed: Closed): ChatOutcome {
  switch (closed.reason) {
    case "signal":
      return { kind: "signal", signal: closed.signal };
    case "failed":
      return { kind: "ended", ending: { kind: "failed", cause: closed.error }, reached: true };
    case "input-ended":
    case "output-gone":
    case "disposed":
      return { kind: "terminal-gone" };
  }
}
