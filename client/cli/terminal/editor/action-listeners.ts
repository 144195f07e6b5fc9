// Delivers the user's actions to the listeners, and keeps those that happen before a listener is set.
import type { EditorAction } from "./line-editor.ts";

/** The most actions that are kept for a listener. */
const EARLY_ACTIONS = 1_000;

export class ActionListeners {
  readonly #early: EditorAction[] = [];
  #submitted: ((text: string) => void) | undefined;
  #acted: ((action: EditorAction) => void) | undefined;

  /** Called with each entered line, and first with those entered before. */
  onSubmit(listener: (text: string) => void): void {
    this.#submitted = listener;
    this.#deliverEarly();
  }

  /** Called with every other action, and first with those that happened before. */
  onAction(listener: (action: EditorAction) => void): void {
    this.#acted = listener;
    this.#deliverEarly();
  }

  notify(action: EditorAction): void {
    if (!this.#deliver(action) && this.#early.length < EARLY_ACTIONS) this.#early.push(action);
  }

  #deliver(action: EditorAction): boolean {
    if (action.kind === "submit") {
      this.#submitted?.(action.text);
      return this.#submitted !== undefined;
    }
    this.#acted?.(action);
    return this.#acted !== undefined;
  }

  #deliverEarly(): void {
    for (const action of this.#early.splice(0)) if (!this.#deliver(action)) this.#early.push(action);
  }
}
