// What happens in private chats, as a person sees it; and the answers that a setting gives in the person's place.

import { Ending } from "../../../../gen/parley/peer/v1/peer_service.ts";
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import { KeyProblemError } from "../../../peer/chats/context.ts";
import type {
  ChatEnded,
  ChatFailed,
  ChatRequested,
  LineEvent,
  PrivateEvent,
} from "../../../peer/chats/events.ts";
import { isRequestGone, NoRequestError } from "../../../peer/chats/incoming-requests.ts";
import { NotSentError } from "../../../peer/conversation/private-conversation.ts";
import type { Contact, KeyCheck } from "../../../peer/keys/contacts.ts";
import type { Attention } from "../incoming/attention.ts";
import type { Clock } from "../model/clock.ts";
import type { Display } from "../model/display-item.ts";
import { privately } from "../model/place.ts";
import type { PrivateLink, PrivateSettings } from "../model/private-link.ts";
import type { PrivateProgress } from "./private-progress.ts";
import {
  answerWords,
  askedWords,
  closedWords,
  endedWords,
  failedWords,
  openedWords,
} from "./private-words.ts";

export interface PrivateIncomingOptions {
  readonly chats: PrivateLink;
  readonly settings: PrivateSettings;
  readonly progress: PrivateProgress;
  readonly me: string;
  readonly clock: Clock;
  readonly attention: Attention;
  /** Whatever is shown has been seen: there is nothing to open. */
  readonly seesAll: boolean;
  readonly display: Pick<Display, "show" | "bell" | "putBack">;
  isOpen(username: string): boolean;
  /** The chat that may be open is over, by the person here or not: then lines must not go anywhere else. */
  over(username: string, byMe?: boolean): void;
}

export class PrivateIncoming {
  readonly #options: PrivateIncomingOptions;

  constructor(options: PrivateIncomingOptions) {
    this.#options = options;
  }

  async take(event: PrivateEvent): Promise<void> {
    const { progress, display } = this.#options;
    switch (event.type) {
      case "requested":
        return this.#asked(event);
      case "request-closed":
        this.#tell(closedWords(event));
        return;
      case "waiting": {
        const seconds = Math.round(event.timeoutMs / 1000);
        const { username } = event;
        this.#tell(
          `${username} is asked for a private chat, and has ${seconds} s to answer. What you say by /private ${username} ` +
            "is held until then.",
        );
        return;
      }
      case "failed":
        this.#failed(event);
        return;
      case "opened":
        progress.opened(event.username);
        for (const sentence of openedWords(event)) this.#tell(sentence);
        return;
      case "line":
        this.#line(event);
        return;
      case "marks":
        progress.marks(event);
        return;
      case "typing":
        progress.typing(event.username, event.typing);
        return;
      case "finished":
        // Whoever has said all is not kept waiting for a person who may go on: it ends by itself, and that is told.
        return;
      case "ended":
        this.#ended(event);
        return;
      case "background-error":
        display.show({ kind: "error", text: event.error.message });
    }
  }

  async #asked(event: ChatRequested): Promise<void> {
    const { settings, attention, display } = this.#options;
    const { username, direct, keyCheck } = event;
    const always = this.#options.chats.contacts.get(username)?.always ?? "ask";
    if (settings.answer === "refuse") {
      this.#tell(`${username} asked for a private chat, and was refused by your setting.`);
      await this.#answering(username, "pass", false);
    } else if (isAutoAccepted(settings.answer, keyCheck, always)) {
      // Where nobody is asked, nobody agrees to show an address, but for who has said so.
      const isDirect = settings.path === "direct" || (settings.path === "auto" && always === "direct");
      this.#tell(`${username} asks for a private chat, and is let in by your setting.`);
      await this.#answering(username, "accept", isDirect);
    } else {
      for (const sentence of askedWords(event)) this.#tell(sentence);
      const lines = answerWords(username, direct && settings.path !== "relay");
      display.show({ kind: "answer", lines });
      if (attention.arrived("direct")) display.bell();
    }
  }

  async #answering(username: string, answer: "accept" | "pass", direct: boolean): Promise<void> {
    try {
      await this.#options.chats.answer(username, answer, { direct });
    } catch (error) {
      const isAnswer =
        error instanceof KeyProblemError ||
        error instanceof NotSentError ||
        error instanceof RpcError ||
        error instanceof ConnectError;
      if (!isAnswer) throw error;
      // That it is over is told by itself; and a no that comes too late is one all the same.
      if (error instanceof NoRequestError || (answer === "pass" && isRequestGone(error))) return;
      this.#tell(failedWords(username, error));
    }
  }

  #failed({ username, error, queued }: ChatFailed): void {
    this.#options.progress.ended(username);
    this.#options.over(username);
    this.#tell(failedWords(username, error));
    this.#repeat("Not said", username, queued);
  }

  #line(line: LineEvent): void {
    const { progress, settings, display, clock, me, attention, isOpen, seesAll, chats } = this.#options;
    const { username, mine, content } = line;
    progress.line(line);
    const time = mine ? line.time : clock.now();
    const kept = content.kind === "text" ? settings.lines : undefined;
    if (content.kind === "text") {
      kept?.add({ username, mine, time: time ?? clock.now(), text: content.text });
    }
    const { shown, last } = mine ? progress.isShown(username) : { shown: false, last: false };
    if (last) this.#tell(`What waited is said to ${username}.`);
    if (shown) return;
    const here = isOpen(username);
    display.show({
      kind: "message",
      time,
      from: mine ? me : username,
      mine,
      place: privately(username),
      content,
      here,
      waiting: false,
      echo: mine,
      ...(kept === undefined ? {} : { kept: true }),
    });
    if (mine) return;
    if (attention.arrived("direct")) display.bell();
    if (!seesAll && !(here && attention.sees)) return;
    progress.seen(username);
    chats.markRead(username);
  }

  #ended(event: ChatEnded): void {
    const { username, undelivered, how } = event;
    this.#options.progress.ended(username);
    this.#options.over(username, how.kind === "goodbye" && how.by === "me" && how.ending !== Ending.FINISHED);
    this.#tell(endedWords(event));
    this.#repeat("Not known to have arrived", username, undelivered);
  }

  /** Nothing that was typed is lost: each of them stands there whole. */
  #repeat(what: string, username: string, texts: readonly string[]): void {
    const [only] = texts;
    if (
      texts.length === 1 &&
      only !== undefined &&
      this.#options.display.putBack(`/private ${username} ${only}`)
    ) {
      this.#tell(`${what}: it stands before the cursor again.`);
      return;
    }
    const { display, clock } = this.#options;
    for (const quote of texts) display.show({ kind: "notice", text: `${what}:`, quote, time: clock.now() });
  }

  #tell(text: string): void {
    const { display, clock } = this.#options;
    display.show({ kind: "notice", text, time: clock.now() });
  }
}

/** Whether a setting says yes in the person's place: for everybody, or for one who is always let in. */
export function isAutoAccepted(
  answer: PrivateSettings["answer"],
  { standing, problem, stops }: KeyCheck,
  always: Contact["always"],
): boolean {
  if (stops || answer === "refuse") return false;
  if (answer === "accept") return true;
  // With another key it may be another person than the one who was meant.
  return problem === undefined && standing !== "new" && (always !== "ask" || answer === "contacts");
}
