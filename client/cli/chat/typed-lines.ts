// What a person types: who is written to is told, and each line is taken as a message or as a command; where it may well
// be either, the person is asked first.
import type { Completion } from "../terminal/line-editor.ts";
import { type ChatActions, refuse } from "./commands/command.ts";
import { unknownCommand } from "./commands/find.ts";
import { completeLine } from "./completion.ts";
import { readLine } from "./line.ts";
import { nameOf } from "./outgoing.ts";
import { everyone, type Place } from "./place.ts";

/** What runs the line that is in doubt as a command. */
export type OtherKey = "Tab" | "none";

export interface TypedLinesOptions {
  readonly actions: ChatActions;
  /** Whether there is somebody to ask about a line in doubt, and with which key he can say "a command". */
  readonly otherKey: OtherKey | undefined;
  /** Puts a line back that was not taken. */
  putBack(text: string): void;
  tell(sentence: string): void;
  usernames(): Iterable<string>;
}

export class TypedLines {
  readonly #options: TypedLinesOptions;
  /** A line that was not sent yet, since a command may have been meant. */
  #doubted: string | undefined;
  /** Who was last told that a message to them is being typed. */
  #typingTo: Extract<Place, { kind: "user" }> | undefined;

  constructor(options: TypedLinesOptions) {
    this.#options = options;
  }

  /** One line that was entered. @throws CommandError, RpcError, ConnectError */
  async enter(text: string): Promise<void> {
    const { actions, otherKey } = this.#options;
    const isRepeated = this.#doubted === text;
    this.#doubted = undefined;
    const place = actions.openPlace ?? everyone;
    const line = readLine(text, actions.commands, actions.openPlace !== undefined);
    switch (line.kind) {
      case "nothing":
        return;
      case "message":
        return actions.send(place, line.text);
      case "doubtful":
        if (otherKey === undefined || isRepeated) return actions.send(place, line.text);
        this.#doubt(text, line.word, place);
        return;
      case "command":
      case "unknown-command":
        return this.#run(text);
    }
  }

  /** The line in doubt was meant as a command. @throws as enter */
  async runDoubted(): Promise<void> {
    const text = this.#doubted;
    this.#doubted = undefined;
    if (text !== undefined) await this.#run(text);
  }

  /** The line being edited changed: a doubt about it is over, and who is written to is told, if it is a message. */
  edited(text: string): void {
    if (text !== "" && text !== this.#doubted) this.#doubted = undefined;
    const { link, commands, openPlace } = this.#options.actions;
    const isMessage = readLine(text, commands, true).kind === "message";
    const user = openPlace?.kind === "user" && isMessage ? openPlace : undefined;
    if (this.#typingTo !== undefined && this.#typingTo.username !== user?.username) {
      link.setTyping(this.#typingTo, false);
    }
    if (user !== undefined) link.setTyping(user, true);
    this.#typingTo = user;
  }

  /** What Tab does: "run" for the line in doubt. */
  complete(before: string): Completion | "run" | undefined {
    const { actions, otherKey, usernames } = this.#options;
    if (otherKey === "Tab" && this.#doubted !== undefined && before === this.#doubted) return "run";
    return completeLine(before, actions.commands, actions.openPlace !== undefined, usernames());
  }

  #doubt(text: string, word: string, place: Place): void {
    this.#doubted = text;
    const { otherKey, tell, putBack } = this.#options;
    const runs = otherKey === "Tab" ? `Tab runs /${word}` : `the command is /${word}`;
    tell(`That would go to ${nameOf(place)}. Enter again sends it; ${runs}.`);
    putBack(text);
  }

  /** A line as it is read with no conversation open. What a person asks for, and gets, is activity. */
  async #run(text: string): Promise<void> {
    const { actions } = this.#options;
    const line = readLine(text, actions.commands, false);
    if (line.kind === "unknown-command") throw unknownCommand(actions.commands, line.word);
    if (line.kind !== "command") throw refuse("That is no command.");
    await line.command.run(actions, line.rest);
    actions.link.reportActivity();
  }
}
