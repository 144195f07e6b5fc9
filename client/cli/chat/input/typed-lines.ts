// Handles entered lines as messages or commands, asks the user if a line may be either, and sends typing notifications.
import { closest } from "../../../../command-line/closest.ts";
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import type { Completion } from "../../terminal/editor/line-editor.ts";
import { shortened } from "../../terminal/text/shortened.ts";
import { type ChatActions, type ChatCommand, refuse, splitWord } from "../command/chat-command.ts";
import { unknownCommand } from "../command/find-chat-command.ts";
import { everyone, nameOf, type Place, samePlace } from "../model/place.ts";
import { completeLine } from "./completion.ts";
import { parseLine } from "./parse-line.ts";

/** The key that runs a doubtful line as a command; "none" if whole lines are read, without keys. */
export type CommandKey = "Tab" | "none";

export interface TypedLinesOptions {
  readonly actions: ChatActions;
  /** Undefined if a script enters the lines, which cannot be asked: doubtful lines are sent then. */
  readonly commandKey: CommandKey | undefined;
  /** Puts a line back into the editor; false if the user is typing something else. */
  putBack(text: string): boolean;
  notify(sentence: string): void;
  usernames(): Iterable<string>;
}

export class TypedLines {
  readonly #options: TypedLinesOptions;
  /** A line that was not sent because it may be meant as a command, and the place it would go to. */
  #doubtful: { readonly text: string; readonly place: Place } | undefined;
  /** The user who was last notified that a message is being typed. */
  #typingTo: Extract<Place, { kind: "user" | "private" }> | undefined;

  constructor(options: TypedLinesOptions) {
    this.#options = options;
  }

  /** Whether the user was asked about this line, so that entering it again confirms it. */
  isInDoubt(text: string): boolean {
    const { openPlace } = this.#options.actions;
    return text === this.#doubtful?.text && samePlace(this.#doubtful.place, openPlace);
  }

  /** Whether the line is a command, known or not, and sends no text: a text that is sent is shown as a message. */
  isEchoed(text: string): boolean {
    const { commands, openPlace } = this.#options.actions;
    const line = parseLine(text, commands, openPlace !== undefined);
    if (line.kind === "unknown-command") return true;
    return line.kind === "command" && !line.command.usage.endsWith("TEXT");
  }

  /**
   * Handles an entered line. `isSure`: isInDoubt was true when the user entered it.
   * @throws CommandError, UsageError, RpcError, ConnectError
   */
  async enter(text: string, isSure = this.isInDoubt(text)): Promise<void> {
    const { actions, commandKey } = this.#options;
    this.#doubtful = undefined;
    const place = actions.openPlace ?? everyone;
    const line = parseLine(text, actions.commands, actions.openPlace !== undefined);
    switch (line.kind) {
      case "nothing":
        return;
      case "message":
        return actions.send(place, line.text);
      case "doubtful":
        if (commandKey === undefined || isSure) return actions.send(place, line.text);
        this.#ask(text, line.word, place);
        return;
      case "command":
      case "unknown-command":
        return this.run(text);
    }
  }

  /**
   * Runs a line as a command.
   * @throws as enter
   */
  async run(text: string): Promise<void> {
    const { actions } = this.#options;
    this.#doubtful = undefined;
    const line = parseLine(text, actions.commands, false);
    if (line.kind === "unknown-command") throw unknownCommand(actions.commands, line.word);
    if (line.kind !== "command") throw refuse("This is not a command.");
    try {
      await line.command.run(actions, line.rest);
    } catch (error) {
      throw this.#refusalOf(line.command, line.rest, error);
    }
    actions.commandDone(line.command);
  }

  /** The line in the editor changed: cancels a question about it, and notifies the user who is being written to. */
  edited(text: string): void {
    if (text !== this.#doubtful?.text) this.#doubtful = undefined;
    const { commands, openPlace } = this.#options.actions;
    const isMessage = parseLine(text, commands, true).kind === "message";
    const isPerson = openPlace?.kind === "user" || openPlace?.kind === "private";
    const user = isPerson && isMessage ? openPlace : undefined;
    if (this.#typingTo !== undefined && !samePlace(this.#typingTo, user))
      this.#setTyping(this.#typingTo, false);
    if (user !== undefined) this.#setTyping(user, true);
    this.#typingTo = user;
  }

  /** What Tab does. "run": the line is in doubt, and Tab runs it as a command. */
  complete(before: string, text = before): Completion | "run" | undefined {
    const { actions, commandKey, usernames } = this.#options;
    if (commandKey === "Tab" && this.isInDoubt(text)) return "run";
    return completeLine(before, actions.commands, actions.openPlace !== undefined, usernames());
  }

  /**
   * The error of a command. A message of the server or the connection does not say what was refused, so the command and
   * its arguments precede it.
   */
  #refusalOf({ name, usage }: ChatCommand, rest: string, error: unknown): unknown {
    if (!(error instanceof RpcError || error instanceof ConnectError)) return error;
    // A text is quoted by the refusal of its message.
    const object = usage.endsWith("TEXT") ? splitWord(rest).word : rest;
    const isUnknown = error instanceof RpcError && error.reason === "USER_NOT_FOUND";
    const near = isUnknown ? closest(splitWord(rest).word, [...this.#options.usernames()]) : undefined;
    const suggestion = near === undefined ? "" : ` Did you mean ${near}?`;
    return refuse(`/${shortened(`${name} ${object}`)}: ${error.message}${suggestion}`);
  }

  #setTyping(user: Extract<Place, { kind: "user" | "private" }>, typing: boolean): void {
    const { link, privates } = this.#options.actions;
    if (user.kind === "private") privates.setTyping(user.username, typing);
    else link.setTyping(user, typing);
  }

  #ask(text: string, word: string, place: Place): void {
    const { commandKey, notify, putBack } = this.#options;
    const to = nameOf(place);
    if (commandKey === "none")
      notify(
        `Not sent yet: ${word} is a command. Enter the line again to send it to ${to}, or type /${word}.`,
      );
    else if (putBack(text))
      notify(
        `Not sent yet: ${word} is a command. Press Enter again to send it to ${to}, or Tab to run /${word}.`,
      );
    else {
      notify(`Not sent to ${to}: ${word} is a command. “${shortened(text)}” Press Up to get the line back.`);
      return;
    }
    this.#doubtful = { text, place };
  }
}
