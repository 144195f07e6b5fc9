// How a chat ended.
import type { LinkEnding } from "../../../link/model/events.ts";
import type { EndingSignal } from "../../terminal/terminal-host.ts";

export type ChatOutcome =
  /** The user left and stays logged in, or in plain mode the input of a run with a stored login ended. */
  | { readonly kind: "quit"; readonly inputEnded?: true }
  /** The user logged out, or in plain mode the input of a run that had logged in ended: the login ends too. */
  | { readonly kind: "logout" }
  /** Plain mode: the first connection failed, and no input was read. */
  | { readonly kind: "cannot-connect"; readonly cause: Error }
  /** Plain mode: the input ended, and messages were not answered in time. They stay in the queue. */
  | { readonly kind: "unsent"; readonly messages: number }
  /** The link ended. `reached`: the server had been reached before. */
  | { readonly kind: "ended"; readonly ending: LinkEnding; readonly reached: boolean }
  | { readonly kind: "signal"; readonly signal: EndingSignal }
  /** The terminal, or the reader of the output, went away. */
  | { readonly kind: "terminal-gone" };
