// The state that the prompt, the status line and the window title show.
import type { LinkState } from "../../../link/model/events.ts";
import type { Path } from "../../../peer/path/connect-peer.ts";
import type { Mark } from "./conversations.ts";
import type { Count } from "./display-item.ts";
import type { Place } from "./place.ts";

export interface ChatStatus {
  readonly connection: LinkState;
  readonly openPlace: Place | undefined;
  /** The user of the open conversation. */
  readonly peer:
    | {
        readonly online: boolean;
        readonly typing: boolean;
        readonly mark: Mark | undefined;
        /**
         * The path of an open private chat; undefined while it is connecting, and for a conversation in the server's
         * log.
         */
        readonly path: Path | undefined;
      }
    | undefined;
  /** How many other users are online. */
  readonly online: number;
  /** Messages sent in this run that the server has not answered. */
  readonly unanswered: number;
  /** Messages in the outbox. */
  readonly heldBack: number;
  readonly unread: readonly Count[];
  /** Messages that arrived while the user was away. */
  readonly unseen: number;
}
