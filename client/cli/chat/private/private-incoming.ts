// Shows the events of private chats, and answers requests if a setting decides.

import { Ending } from "../../../../gen/parley/peer/v1/peer_service.ts";
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import type { Clock } from "../../../../time/clock.ts";
import { KeyProblemError } from "../../../peer/chats/context.ts";
import type {
  ChatEnded,
  ChatFailed,
  ChatRequested,
  LineEvent,
  PrivateEvent,
} from "../../../peer/chats/events.ts";
import { isRequestGone, NoRequestError } from "../../../peer/chats/incoming-requests.ts";
import { NotSentError } from "../../../peer/conversation/line-rules.ts";
import {
  answerWords,
  closedWords,
  endedWords,
  failedWords,
  notKeptWords,
  openedWords,
  requestWords,
} from "../../private/private-words.ts";
import type { PrivateSettings } from "../../private/settings.ts";
import { isAutoAccepted } from "../../private/settings.ts";
import type { Attention } from "../incoming/attention.ts";
import type { Display } from "../model/display-item.ts";
import { privately } from "../model/place.ts";
import type { PrivateLink } from "../model/private-link.ts";
import type { PrivateProgress } from "./private-progress.ts";

export interface PrivateIncomingOptions {
  readonly chats: PrivateLink;
  readonly settings: PrivateSettings;
  readonly progress: PrivateProgress;
  readonly me: string;
  readonly clock: Clock;
  readonly attention: Attention;
  /** Everything that is shown counts as read, as in plain mode. */
  readonly readsAll: boolean;
  readonly display: Pick<Display, "show" | "bell" | "putBack">;
  isOpen(username: string): boolean;
  /** A chat with this user ended or did not start. `byMe`: the user ended it here. */
  onEnded(username: string, byMe?: boolean): void;
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
        return this.#requested(event);
      case "request-closed":
        this.#notify(closedWords(event));
        return;
      case "waiting": {
        const seconds = Math.round(event.timeoutMs / 1000);
        const { username } = event;
        this.#notify(
          `${username} has been asked and has ${seconds} s to answer. Lines that you send with /private ${username} ` +
            "wait until then.",
        );
        return;
      }
      case "failed":
        this.#failed(event);
        return;
      case "opened":
        progress.opened(event.username);
        for (const sentence of openedWords(event)) this.#notify(sentence);
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
        // The peer sends nothing more. The chat ends by itself, and "ended" reports it.
        return;
      case "ended":
        this.#ended(event);
        return;
      case "background-error":
        display.show({ kind: "error", text: event.error.message });
    }
  }

  async #requested(event: ChatRequested): Promise<void> {
    const { settings, attention, display } = this.#options;
    const { username, direct, keyCheck } = event;
    const always = this.#options.chats.contacts.get(username)?.always ?? "ask";
    if (settings.answer === "refuse") {
      this.#notify(`${username} asked for a private chat and was refused by your setting.`);
      await this.#answer(username, "pass", false);
    } else if (isAutoAccepted(settings.answer, keyCheck, always)) {
      // A direct path shows the user's address, so it needs the user's consent: by a setting, or by --always --direct.
      const isDirect = settings.path === "direct" || (settings.path === "auto" && always === "direct");
      this.#notify(`${username} asked for a private chat and was accepted by your setting.`);
      await this.#answer(username, "accept", isDirect);
    } else {
      for (const sentence of requestWords(event)) this.#notify(sentence);
      const lines = answerWords(username, direct && settings.path !== "relay");
      display.show({ kind: "answer", lines });
      if (attention.arrived("direct")) display.bell();
    }
  }

  async #answer(username: string, answer: "accept" | "pass", direct: boolean): Promise<void> {
    try {
      await this.#options.chats.answer(username, answer, { direct });
    } catch (error) {
      const isAnswer =
        error instanceof KeyProblemError ||
        error instanceof NotSentError ||
        error instanceof RpcError ||
        error instanceof ConnectError;
      if (!isAnswer) throw error;
      // The end of a request is reported by its own event, and a refusal that comes too late changes nothing.
      if (error instanceof NoRequestError || (answer === "pass" && isRequestGone(error))) return;
      this.#notify(failedWords(username, error));
    }
  }

  #failed({ username, error, queued }: ChatFailed): void {
    this.#options.progress.ended(username);
    this.#options.onEnded(username);
    this.#notify(failedWords(username, error));
    this.#giveBack("Not sent", username, queued);
  }

  #line(line: LineEvent): void {
    const { progress, settings, display, clock, me, attention, isOpen, readsAll, chats } = this.#options;
    const { username, mine, content } = line;
    progress.line(line);
    const time = mine ? line.time : new Date(clock.now());
    const kept = content.kind === "text" ? settings.lines : undefined;
    if (content.kind === "text") {
      kept?.add({ username, mine, time: time ?? new Date(clock.now()), text: content.text });
    } else if (settings.lines !== undefined) this.#notify(notKeptWords(username));
    const { shown, last } = mine ? progress.takeWaiting(username) : { shown: false, last: false };
    if (last) this.#notify(`The waiting lines were sent to ${username}.`);
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
    if (!readsAll && !(here && attention.sees)) return;
    progress.markRead(username);
    chats.markRead(username);
  }

  #ended(event: ChatEnded): void {
    const { username, undelivered, notSent, how } = event;
    this.#options.progress.ended(username);
    this.#options.onEnded(
      username,
      how.kind === "goodbye" && how.by === "me" && how.ending !== Ending.FINISHED,
    );
    this.#notify(endedWords(event));
    this.#giveBack("May not have arrived", username, undelivered);
    this.#giveBack("Not sent", username, notSent);
  }

  /** Puts a single line back into the editor; shows several lines whole, so that no text of the user is lost. */
  #giveBack(what: string, username: string, texts: readonly string[]): void {
    const [only] = texts;
    if (
      texts.length === 1 &&
      only !== undefined &&
      this.#options.display.putBack(`/private ${username} ${only}`)
    ) {
      this.#notify(`${what}: the line is in the prompt again.`);
      return;
    }
    const { display, clock } = this.#options;
    for (const quote of texts)
      display.show({ kind: "notice", text: `${what}:`, quote, time: new Date(clock.now()) });
  }

  #notify(text: string): void {
    const { display, clock } = this.#options;
    display.show({ kind: "notice", text, time: new Date(clock.now()) });
  }
}
