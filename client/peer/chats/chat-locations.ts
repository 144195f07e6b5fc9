// Where private chats are open: with whom in this program, and where else.
import type { PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";

/** Where a chat is open that is not this program's. */
export type OpenElsewhere =
  /** In another program on this device. */
  | { readonly kind: "here" }
  /** On another device. */
  | {
      readonly kind: "device";
      /** What its person calls it; may be empty. */
      readonly deviceName: string;
    };

/** A chat that is open. */
export interface OpenChatInfo {
  /** The other user. */
  readonly username: string;
  /** Which way it goes. */
  readonly path: Path;
  /** The other device, as its keys say. */
  readonly peer: PeerKeys;
}
