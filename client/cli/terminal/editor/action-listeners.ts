// What the person did, on its way to whoever listens: kept until somebody does.
import type { EditorAction } from "./line-editor.ts";

/** Actions kept until somebody listens. */
const EARLY_ACTIONS = 1_000;

export class ActionListeners {
  readonly #early: EditorAction[] = [];
  #submitted: ((text: string) => void) | undefined;
  #acted: ((action: EditorAction) => void) | undefined;

  /** Called with each line that was entered. Those entered before come first. */
  onSubmit(listener: (text: string) => void): void {
    this.#submitted = listener;
    this.#deliverEarly();
  }

  /** Called with every other action. Those of before come first. */
  onAction(listener: (action: EditorAction) => void): void {
    this.#acted = listener;
    this.#deliverEarly();
  }

  tell(action: EditorAction): void {
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
