// What the prompt, the line below it and the title are made of.
import type { LinkState } from "../../link/events.ts";
import type { Mark } from "./conversations.ts";
import type { Count } from "./note.ts";
import type { Place } from "./place.ts";

/** What stands below the line being typed. */
export interface ChatStatus {
  readonly connection: LinkState;
  readonly openPlace: Place | undefined;
  /** The user of the open conversation. */
  readonly peer:
    | { readonly online: boolean; readonly typing: boolean; readonly mark: Mark | undefined }
    | undefined;
  readonly online: number;
  /** Sent from here, and not with the server. */
  readonly unanswered: number;
  readonly heldBack: number;
  readonly unread: readonly Count[];
  /** Came while the person was away. */
  readonly unseen: number;
}
