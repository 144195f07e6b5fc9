// What a command of the chat is, and what it may do.

import { UsageError } from "../../../../command-line/usage-error.ts";
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import { CommandError, Exit, usage } from "../../process/exit.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { Clock } from "../model/clock.ts";
import type { DisplayItem } from "../model/display-item.ts";
import type { Place } from "../model/place.ts";
import type { PrivateActions } from "../model/private-link.ts";

/** How a person leaves: the login is kept, or ended. */
export type Leaving = "quit" | "logout";

/** The chat, as its commands see it. */
export interface ChatActions {
  readonly link: ChatLink;
  readonly clock: Clock;
  readonly commands: readonly ChatCommand[];
  /** Where a line goes now; undefined where a line is a command. */
  readonly openPlace: Place | undefined;
  readonly me: string;
  readonly privates: PrivateActions;
  show(note: DisplayItem): void;
  /** @throws RpcError where there is no such user */
  open(username: string): Promise<void>;
  close(): void;
  /** From now on lines go into that private chat. @throws CommandError where there is none */
  openPrivate(username: string): void;
  /** Sends a text; in plain mode it resolves when the server has answered. @throws CommandError */
  send(place: Place, text: string): Promise<void>;
  /** Shows the last so many entries of a log. */
  showHistory(place: Place, entries: number): Promise<void>;
  leave(how: Leaving): void;
}

export interface ChatCommand {
  readonly name: string;
  /** Other words for it. */
  readonly aliases?: readonly string[];
  /** What follows the name, such as "USER TEXT"; "" for nothing. Completion knows the word USER. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More lines, for `help COMMAND`. */
  readonly details?: readonly string[];
  /** Nothing that it asks of the server says that a person is at work, so the server is told. */
  readonly isLocal?: true;
  /**
   * `rest` is what follows the name and one space, verbatim.
   * @throws CommandError, RpcError, ConnectError: their messages are shown
   */
  run(chat: ChatActions, rest: string): Promise<void> | void;
}

/** The longest name that a user can have, bytes: the contract says so. */
const LONGEST_NAME = 64;

/** A word that is to name a user. @throws CommandError where nobody can have that name */
export function usernameOf(word: string): string {
  if (Buffer.byteLength(word) > LONGEST_NAME) throw refuse("There is no user of that name.");
  return word;
}

/** The first word and, verbatim, what follows it and one space. */
export function splitWord(text: string): { word: string; rest: string | undefined } {
  const [, word = "", rest] = /^\s*(\S*)(?:\s(.*))?$/s.exec(text) ?? [];
  return { word, rest };
}

/** The words of a command that takes no text. @throws CommandError where there are more than `most` */
export function words(command: Pick<ChatCommand, "name" | "usage">, rest: string, most: number): string[] {
  const all = rest.split(/\s+/).filter((word) => word !== "");
  if (all.length > most) throw usageOf(command);
  return all;
}

/** "usage: /open USER": the slash is right wherever one stands. */
export function usageOf({ name, usage: rest }: Pick<ChatCommand, "name" | "usage">): UsageError {
  return usage(`usage: /${name}${rest === "" ? "" : ` ${rest}`}`);
}

/** What was refused or could not be reached is an answer too; anything else is a fault of this program. */
export function isAnswer(error: unknown): error is CommandError | UsageError | RpcError | ConnectError {
  return (
    error instanceof CommandError ||
    error instanceof UsageError ||
    error instanceof RpcError ||
    error instanceof ConnectError
  );
}

export function refuse(message: string): CommandError {
  return new CommandError(Exit.REFUSED, message);
}
