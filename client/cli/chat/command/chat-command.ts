// What a command of the chat is, and the actions of the chat that it can use.

import { mapUsername } from "../../../../command-line/map-username.ts";
import { UsageError } from "../../../../command-line/usage-error.ts";
import { ConnectError } from "../../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../../rpc/status/status.ts";
import type { Clock } from "../../../../time/clock.ts";
import { CommandError, Exit, usage } from "../../process/exit.ts";
import type { ChatLink } from "../model/chat-link.ts";
import type { DisplayItem } from "../model/display-item.ts";
import type { Place } from "../model/place.ts";
import type { PrivateActions } from "../model/private-link.ts";

/** How the user leaves: "quit" keeps the login, "logout" ends it. */
export type Leaving = "quit" | "logout";

/** The part of the chat that commands use. */
export interface ChatActions {
  readonly link: ChatLink;
  readonly clock: Clock;
  readonly commands: readonly ChatCommand[];
  /** The place that lines go to; undefined if lines are commands. */
  readonly openPlace: Place | undefined;
  readonly me: string;
  readonly privates: PrivateActions;
  show(note: DisplayItem): void;
  /** Opens the conversation with that user. @throws CommandError if the user does not exist; ConnectError */
  open(username: string): Promise<void>;
  close(): void;
  /** Makes lines go to that private chat. @throws CommandError if there is none */
  openPrivate(username: string): void;
  /** Sends a text; in plain mode it resolves when the server has answered. @throws CommandError */
  send(place: Place, text: string): Promise<void>;
  /** Shows the last `entries` entries of a place. */
  showHistory(place: Place, entries: number): Promise<void>;
  leave(how: Leaving): void;
  /** A command succeeded, which counts as activity of the user. */
  commandDone(command: ChatCommand): void;
}

export interface ChatCommand {
  readonly name: string;
  /** Other names. */
  readonly aliases?: readonly string[];
  /** The arguments, such as "USER TEXT"; "" for none. Completion and command-usage.ts read the words. */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More lines, for `help COMMAND`. */
  readonly details?: readonly string[];
  /** The command makes no call that the server counts as activity of the user, so the activity is reported. */
  readonly isLocal?: true;
  /** The command sends a message, which the server counts as activity when it stores the message. */
  readonly sends?: true;
  /**
   * `rest` is what follows the name and one space, verbatim.
   * @throws CommandError, RpcError, ConnectError: their messages are shown
   */
  run(chat: ChatActions, rest: string): Promise<void> | void;
}

/** The longest user name, bytes: set by the contract. */
const LONGEST_NAME = 64;

/** The name of a user, in the form in which servers store it. @throws CommandError if no user can have that name */
export function usernameOf(word: string): string {
  const username = mapUsername(word);
  if (Buffer.byteLength(username) > LONGEST_NAME) throw refuse("There is no user of that name.");
  return username;
}

/** The first word, and the text that follows it and one white space character, verbatim. */
export function splitWord(text: string): { word: string; rest: string | undefined } {
  const [, word = "", rest] = /^\s*(\S*)(?:\s(.*))?$/s.exec(text) ?? [];
  return { word, rest };
}

/** The words of a command that takes no text. @throws CommandError if there are more than `most` */
export function words(command: Pick<ChatCommand, "name" | "usage">, rest: string, most: number): string[] {
  const all = rest.split(/\s+/).filter((word) => word !== "");
  if (all.length > most) throw usageOf(command);
  return all;
}

/** "Usage: /open USER": with the slash, which is valid with and without an open conversation. */
export function usageOf({ name, usage: rest }: Pick<ChatCommand, "name" | "usage">): UsageError {
  return usage(`Usage: /${name}${rest === "" ? "" : ` ${rest}`}`);
}

/** Whether the error is shown to the user as the answer to a command; any other error is a fault of this program. */
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
