// Stops lines that the user typed for a private chat which has just ended, so that they are not run as commands.

import { shortened } from "../../terminal/text/shortened.ts";
import { refuse } from "../command/chat-command.ts";

export class EndedChatGuard {
  readonly #putBack: (text: string) => boolean;
  #username: string | undefined;

  /**
   * @param putBack puts a line back into the editor; false if the user is typing something else, or there is no editor
   */
  constructor(putBack: (text: string) => boolean) {
    this.#putBack = putBack;
  }

  /** The open private chat with this user has ended, but the user here did not end it. */
  chatEnded(username: string): void {
    this.#username = username;
  }

  /**
   * Checks a line that is entered with nothing open. A line with a slash is a command, and ends the guard. So does a
   * line that was put back: the user has seen then that the chat ended. If lines cannot be put back, as in a script,
   * every line without a slash is refused.
   * @throws CommandError if the line was stopped
   */
  check(text: string): void {
    const username = this.#username;
    if (username === undefined || text.trim() === "") return;
    if (text.startsWith("/")) {
      this.#username = undefined;
      return;
    }
    const sentence = `Nothing was sent: the private chat with ${username} has ended.`;
    if (!this.#putBack(text)) {
      throw refuse(`${sentence} To run a command, start it with a slash. “${shortened(text)}”`);
    }
    this.#username = undefined;
    throw refuse(sentence);
  }

  /** The user did something else, so the next line is not meant for the ended chat. */
  forget(): void {
    this.#username = undefined;
  }
}
