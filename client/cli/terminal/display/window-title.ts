// The title of the window: set while the program runs, and restored at the end. Does nothing on terminals without
// titles.
import type { Variables } from "../text/paint.ts";
import { hasTitle, RESTORE_TITLE, SAVE_TITLE, title } from "./terminal-modes.ts";

export class WindowTitle {
  readonly #hasTitle: boolean;
  #wanted: string | undefined;
  #shown: string | undefined;
  /** The terminal has saved the previous title. */
  #saved = false;

  constructor(env: Variables) {
    this.#hasTitle = hasTitle(env);
  }

  set(text: string): void {
    this.#wanted = text;
  }

  /** The sequences that show the title that was set; "" if it is shown already. */
  take(): string {
    if (!this.#hasTitle || this.#wanted === undefined || this.#wanted === this.#shown) return "";
    const save = this.#saved ? "" : SAVE_TITLE;
    this.#saved = true;
    this.#shown = this.#wanted;
    return save + title(this.#wanted);
  }

  /** The sequences that restore the previous title. The next `take` sets the title again. */
  giveBack(): string {
    const restored = this.#saved ? RESTORE_TITLE : "";
    this.#saved = false;
    this.#shown = undefined;
    return restored;
  }
}
