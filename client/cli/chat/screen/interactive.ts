// The chat at a screen: wires the model to the terminal, and keeps both in step.
import type { Link } from "../../../link/link.ts";
import { type Closed, Screen, type TerminalInput, type TerminalOutput } from "../../terminal/screen.ts";
import type { TerminalHost } from "../../terminal/terminal-host.ts";
import type { Environment } from "../../terminal/text/paint.ts";
import { Chat } from "../chat.ts";
import type { Leaving } from "../command/chat-command.ts";
import { commandsOf } from "../commands/table.ts";
import type { BellSetting } from "../incoming/attention.ts";
import { SerialQueue } from "../input/serial-queue.ts";
import type { ChatLink } from "../model/chat-link.ts";
import { systemClock } from "../model/clock.ts";
import type { DisplayItem } from "../model/display-item.ts";
import type { ChatOutcome } from "../model/outcome.ts";
import type { PrivateLink, PrivateSettings } from "../model/private-link.ts";
import { Transcript } from "./render.ts";
import { promptOf, statusOf, titleOf } from "./render-status.ts";

export interface InteractiveOptions {
  readonly link: ChatLink & Pick<Link, "events">;
  readonly address: string;
  readonly me: string;
  /** Leaving ends the login, whatever the word. */
  readonly logsOut?: boolean;
  readonly privateChats: PrivateLink;
  readonly privateSettings: PrivateSettings;
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly env: Environment;
  readonly bell: BellSetting;
  readonly host?: TerminalHost;
}

/** How often the countdown to the next attempt moves, ms. */
const TICK_MS = 1_000;
/** Rows of a message; of a taller one the rest is named. */
const MOST_ROWS = 20;
/** Entered lines that wait for the one before them. */
const MOST_WAITING = 1_000;

/** Runs until the person leaves, the link ends or the terminal goes. The terminal is given back; the link is not ended. */
export async function runInteractive(options: InteractiveOptions): Promise<ChatOutcome> {
  return new Interactive(options).run();
}

class Interactive {
  readonly #options: InteractiveOptions;
  readonly #screen: Screen;
  readonly #chat: Chat;
  readonly #transcript: Transcript;
  readonly #left = Promise.withResolvers<ChatOutcome>();
  /** The first attempt to connect has succeeded or failed. */
  readonly #tried = Promise.withResolvers<void>();
  /** What was typed ahead of the connection waits for it, but not for a server that is away. */
  readonly #turns = new SerialQueue({
    after: this.#tried.promise,
    most: MOST_WAITING,
    refused: (error) => this.#show({ kind: "error", text: error.message }),
    failed: (error) => this.#left.reject(error),
  });
  #title = "";

  constructor(options: InteractiveOptions) {
    this.#options = options;
    const { link, address, me, bell, input, output, env, host } = options;
    this.#transcript = new Transcript(systemClock.now());
    this.#chat = new Chat({
      link,
      address,
      me,
      bell,
      clock: systemClock,
      commands: commandsOf(options.logsOut === true),
      privateChats: options.privateChats,
      privateSettings: options.privateSettings,
      atScreen: true,
      otherKey: "Tab",
      leave: (how: Leaving) => this.#left.resolve({ kind: how }),
      display: {
        show: (note) => this.#show(note),
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

  async run(): Promise<ChatOutcome> {
    using chat = this.#chat;
    using screen = this.#screen;
    screen.onSubmit((text) => {
      // Asked now: whoever types ahead has not been asked anything.
      const isSure = chat.isInDoubt(text);
      this.#inTurn(() => chat.enter(text, isSure));
    });
    screen.onEdit((text) => chat.edited(text));
    screen.onAction((action) => {
      if (action.kind === "run") this.#inTurn(() => chat.run(action.text));
      else if (action.kind === "leave") this.#left.resolve({ kind: "quit" });
      else if (action.kind === "leave-armed") this.#tell("Ctrl-C again, or Ctrl-D, leaves.");
      else if (action.kind === "next-unread") this.#inTurn(() => chat.openNextUnread());
      else if (action.kind === "focus") chat.focus(action.focused);
      else if (action.kind === "paste-cut") this.#tell("The paste was too long; its end is missing.");
    });
    const tick = setInterval(() => {
      if (chat.status.connection.phase === "waiting") this.#refresh();
    }, TICK_MS);
    try {
      this.#refresh();
      void screen.closed.then((closed) => this.#left.resolve(outcomeOfClosed(closed)));
      // Its failure is the outcome; after another outcome nobody reads on.
      this.#follow().then(
        (outcome) => this.#left.resolve(outcome),
        (error: unknown) => this.#left.reject(error),
      );
      this.#followPrivate().catch((error: unknown) => this.#left.reject(error));
      return await this.#left.promise;
    } finally {
      clearInterval(tick);
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

  /** One thing after the other: what is typed after `/open yoda` goes to yoda. */
  #inTurn(work: () => Promise<void>): void {
    if (!this.#turns.take(work)) this.#tell("Too much is waiting: that line was not taken.");
  }

  #tell(text: string): void {
    this.#show({ kind: "notice", text, time: systemClock.now() });
  }

  #show(note: DisplayItem): void {
    for (const { text, hang, foldedFor } of this.#transcript.linesOf(note, systemClock.now())) {
      const fold = foldedFor === undefined ? {} : { fold: { rows: MOST_ROWS, hint: foldedFor } };
      this.#screen.print(text, { hang, ...fold });
    }
  }

  #refresh(): void {
    const { status } = this.#chat;
    this.#screen.prompt = promptOf(status);
    this.#screen.status = statusOf(status, systemClock.now());
    const title = titleOf(status);
    if (title !== this.#title) this.#screen.setTitle(title);
    this.#title = title;
  }
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
