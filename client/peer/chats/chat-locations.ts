// Where private chats are open: in this program, in another program, or on another device.
import type { PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";

/** Where a chat is open outside this program. */
export type OpenElsewhere =
  /** In another program on this device. */
  | { readonly kind: "here" }
  /** On another device of the user. */
  | {
      readonly kind: "device";
      /** The name that the user gave the device; may be empty. */
      readonly deviceName: string;
    };

/** An open chat of this program. */
export interface OpenChatInfo {
  /** The other user. */
  readonly username: string;
  /** The path of the connection. */
  readonly path: Path;
  /** The keys of the other device. */
  readonly peer: PeerKeys;
}
