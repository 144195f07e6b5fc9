// A private chat that ended by itself, or from the other side, while it was written to: what was typed for it goes nowhere
// else, and is given back.
import { refuse } from "../command/chat-command.ts";
import { shortened } from "../model/shortened.ts";

export class EndedChatGuard {
  readonly #putBack: (text: string) => boolean;
  #username: string | undefined;

  /** @param putBack false where something else is being typed by now, or nobody can be given anything */
  constructor(putBack: (text: string) => boolean) {
    this.#putBack = putBack;
  }

  over(username: string): void {
    this.#username = username;
  }

  /**
   * A line that is entered with nothing open: passes where it cannot have been meant for the chat that is over. What
   * begins with a slash is surely a command; whoever has a line before the cursor again knows; and to anybody else, such
   * as a script, the lines after it are no different.
   * @throws CommandError, the line having gone nowhere
   */
  check(text: string): void {
    const username = this.#username;
    if (username === undefined || text.trim() === "") return;
    if (text.startsWith("/")) {
      this.#username = undefined;
      return;
    }
    const sentence = `Nothing was sent: the private chat with ${username} is over`;
    if (!this.#putBack(text)) {
      throw refuse(`${sentence}, and a command needs its slash now. “${shortened(text)}”`);
    }
    this.#username = undefined;
    throw refuse(`${sentence}.`);
  }

  /** The person has done something else. */
  forget(): void {
    this.#username = undefined;
  }
}
