// What the prompt, the line below it and the title are made of.
import type { LinkState } from "../../../link/model/events.ts";
import type { Path } from "../../../peer/path/connect-peer.ts";
import type { Mark } from "./conversations.ts";
import type { Count } from "./display-item.ts";
import type { Place } from "./place.ts";

/** What stands below the line being typed. */
export interface ChatStatus {
  readonly connection: LinkState;
  readonly openPlace: Place | undefined;
  /** The user of the open conversation. */
  readonly peer:
    | {
        readonly online: boolean;
        readonly typing: boolean;
        readonly mark: Mark | undefined;
        /** Of an open private chat; undefined while it is not there yet, and for what goes through the server's log. */
        readonly path: Path | undefined;
      }
    | undefined;
  readonly online: number;
  /** Sent from here, and not with the server. */
  readonly unanswered: number;
  readonly heldBack: number;
  readonly unread: readonly Count[];
  /** Came while the person was away. */
  readonly unseen: number;
}
