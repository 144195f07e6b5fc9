// How a chat came to its end.
import type { LinkEnding } from "../../../link/model/events.ts";
import type { EndingSignal } from "../../terminal/terminal-host.ts";

export type ChatOutcome =
  /** The person left, and stays logged in. */
  | { readonly kind: "quit" }
  /** The person logged out, or in plain mode the input ended: the login ends too. */
  | { readonly kind: "logout" }
  /** Plain mode: nothing was ever connected, and nothing was read. */
  | { readonly kind: "cannot-connect"; readonly cause: Error }
  /** Plain mode: the input ended, and what was sent got no answer in good time. It stays in the queue. */
  | { readonly kind: "unsent"; readonly messages: number }
  /** `reached`: the server was, before the end. */
  | { readonly kind: "ended"; readonly ending: LinkEnding; readonly reached: boolean }
  | { readonly kind: "signal"; readonly signal: EndingSignal }
  /** Nobody is there to read or to type any more. */
  | { readonly kind: "terminal-gone" };
