// What a person types: who is written to is told, and each line is taken as a message or as a command; where it may well
// be either, the person is asked first.
import type { Completion } from "../../terminal/editor/line-editor.ts";
import { type ChatActions, refuse } from "../command/chat-command.ts";
import { unknownCommand } from "../command/find-chat-command.ts";
import { everyone, type Place, samePlace } from "../model/place.ts";
import { shortened } from "../model/shortened.ts";
import { completeLine } from "./completion.ts";
import { nameOf } from "./outgoing-messages.ts";
import { parseLine } from "./parse-line.ts";

/** What runs the line that is in doubt as a command; "none" where whole lines are read, and there are no keys. */
export type OtherKey = "Tab" | "none";

export interface TypedLinesOptions {
  readonly actions: ChatActions;
  /** Whether there is somebody to ask about a line in doubt, and with which key he can say "a command". */
  readonly otherKey: OtherKey | undefined;
  /** Puts a line back that was not taken; false where something else is being typed by now. */
  putBack(text: string): boolean;
  tell(sentence: string): void;
  usernames(): Iterable<string>;
}

export class TypedLines {
  readonly #options: TypedLinesOptions;
  /** A line that was not sent yet, since a command may have been meant, and where it would go. */
  #doubted: { readonly text: string; readonly place: Place } | undefined;
  /** Who was last told that a message to them is being typed. */
  #typingTo: Extract<Place, { kind: "user" | "private" }> | undefined;

  constructor(options: TypedLinesOptions) {
    this.#options = options;
  }

  /** Whether to enter this line answers the question about it. */
  isInDoubt(text: string): boolean {
    const { openPlace } = this.#options.actions;
    return text === this.#doubted?.text && samePlace(this.#doubted.place, openPlace);
  }

  /**
   * One line that was entered. `isSure`: it was in doubt when that was done, and the person knew.
   * @throws CommandError, RpcError, ConnectError
   */
  async enter(text: string, isSure = this.isInDoubt(text)): Promise<void> {
    const { actions, otherKey } = this.#options;
    this.#doubted = undefined;
    const place = actions.openPlace ?? everyone;
    const line = parseLine(text, actions.commands, actions.openPlace !== undefined);
    switch (line.kind) {
      case "nothing":
        return;
      case "message":
        return actions.send(place, line.text);
      case "doubtful":
        if (otherKey === undefined || isSure) return actions.send(place, line.text);
        this.#doubt(text, line.word, place);
        return;
      case "command":
      case "unknown-command":
        return this.run(text);
    }
  }

  /**
   * A line as it is read with no conversation open. What a person asks for, and gets, is activity; where the server
   * sees it by itself, as a call or a stored message, it is not told again.
   * @throws as enter
   */
  async run(text: string): Promise<void> {
    const { actions } = this.#options;
    this.#doubted = undefined;
    const line = parseLine(text, actions.commands, false);
    if (line.kind === "unknown-command") throw unknownCommand(actions.commands, line.word);
    if (line.kind !== "command") throw refuse("That is no command.");
    await line.command.run(actions, line.rest);
    if (line.command.isLocal === true) actions.link.reportActivity();
  }

  /** The line being edited changed: a doubt about it is over, and who is written to is told, if it is a message. */
  edited(text: string): void {
    if (text !== this.#doubted?.text) this.#doubted = undefined;
    const { commands, openPlace } = this.#options.actions;
    const isMessage = parseLine(text, commands, true).kind === "message";
    const isPerson = openPlace?.kind === "user" || openPlace?.kind === "private";
    const user = isPerson && isMessage ? openPlace : undefined;
    if (this.#typingTo !== undefined && !samePlace(this.#typingTo, user))
      this.#setTyping(this.#typingTo, false);
    if (user !== undefined) this.#setTyping(user, true);
    this.#typingTo = user;
  }

  /** What Tab does: "run" for the line in doubt, wherever the cursor stands in it. */
  complete(before: string, text = before): Completion | "run" | undefined {
    const { actions, otherKey, usernames } = this.#options;
    if (otherKey === "Tab" && this.isInDoubt(text)) return "run";
    return completeLine(before, actions.commands, actions.openPlace !== undefined, usernames());
  }

  #setTyping(user: Extract<Place, { kind: "user" | "private" }>, typing: boolean): void {
    const { link, privates } = this.#options.actions;
    if (user.kind === "private") privates.setTyping(user.username, typing);
    else link.setTyping(user, typing);
  }

  #doubt(text: string, word: string, place: Place): void {
    const { otherKey, tell, putBack } = this.#options;
    const to = nameOf(place);
    if (otherKey === "none")
      tell(`That would go to ${to}. The same line again sends it; /${word} is the command.`);
    else if (putBack(text)) tell(`That would go to ${to}. Enter again sends it; Tab runs /${word}.`);
    else {
      tell(`Not sent to ${to}, since /${word} is a command: “${shortened(text)}”. Up brings it back.`);
      return;
    }
    this.#doubted = { text, place };
  }
}
