// The window's title: set until the end, when the one before comes back; nothing where there is none.
import type { Environment } from "../text/paint.ts";
import { hasTitle, RESTORE_TITLE, SAVE_TITLE, title } from "./terminal-modes.ts";

export class WindowTitle {
  readonly #hasTitle: boolean;
  #wanted: string | undefined;
  #shown: string | undefined;
  /** The title of before is kept by the terminal. */
  #saved = false;

  constructor(env: Environment) {
    this.#hasTitle = hasTitle(env);
  }

  set(text: string): void {
    this.#wanted = text;
  }

  /** Escapes that show what is wanted; "" where it is shown already. */
  take(): string {
    if (!this.#hasTitle || this.#wanted === undefined || this.#wanted === this.#shown) return "";
    const save = this.#saved ? "" : SAVE_TITLE;
    this.#saved = true;
    this.#shown = this.#wanted;
    return save + title(this.#wanted);
  }

  /** Escapes that bring the title of before back; `take` then sets the wanted one anew. */
  giveBack(): string {
    const restored = this.#saved ? RESTORE_TITLE : "";
    this.#saved = false;
    this.#shown = undefined;
    return restored;
  }
}
