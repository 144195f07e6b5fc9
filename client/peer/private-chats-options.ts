// The options of private chats.
import type { Endpoint } from "../link/server/endpoint.ts";
import type { ContactStore, KeyPolicy } from "./keys/contacts.ts";
import type { KeyStore } from "./keys/keys.ts";
import type { OwnNames } from "./keys/registration.ts";

/** The options of `PrivateChats.open`. */
export interface PrivateChatsOptions {
  /** The chat server. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;
  /** The user and the device of the session. */
  readonly names: OwnNames;
  /** Stores the device's keys. */
  readonly keys: KeyStore;
  /** Stores the keys of other users. */
  readonly contacts: ContactStore;
  /** Describes the program to the peer. */
  readonly client?: {
    /** At most 64 bytes. */
    readonly name: string;
    /** At most 64 bytes. */
    readonly version: string;
  };
  /**
   * Where the peer server listens while a peer may connect directly. If undefined, it never listens, and every chat goes
   * through the relay.
   */
  readonly listen:
    | {
        /** An address or a host name; "::" for the addresses of all network interfaces. */
        readonly host: string;
        /** 0 for any free port. */
        readonly port: number;
      }
    | undefined;
  /**
   * Whether a chat stays open after the peer has finished, until `finish` is called. Default false: the chat ends when
   * the reader of `events` has taken the peer's "finished".
   */
  readonly allowHalfOpen?: boolean;
  /** Which keys are admitted. Default: all; own lines wait while the keys of a known contact are not as expected. */
  readonly policy?: KeyPolicy;
}
