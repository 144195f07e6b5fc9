// What private chats are told when they are opened: whose they are, and what they stand on.
import type { Endpoint } from "../link/server/endpoint.ts";
import type { ContactStore } from "./keys/contacts.ts";
import type { KeyStore } from "./keys/keys.ts";
import type { OwnNames } from "./keys/registration.ts";

/** Whose private chats, and what they stand on. */
export interface PrivateChatsOptions {
  /** The server. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;
  /** Whose device this is. */
  readonly names: OwnNames;
  /** Where the device's keys are kept. */
  readonly keys: KeyStore;
  /** What is remembered of others' keys. */
  readonly contacts: ContactStore;
  /** The program, as the other end may show it. */
  readonly client?: {
    /** At most 64 bytes. */
    readonly name: string;
    /** At most 64 bytes. */
    readonly version: string;
  };
  /** Where the peer server listens, port 0 for any; undefined: nowhere, and every chat goes through the relay. */
  readonly listen:
    | {
        /** An address, or a name; "::" for all. */
        readonly host: string;
        /** 0 takes any that is free. */
        readonly port: number;
      }
    | undefined;
  /**
   * A chat in which the other one has said all goes on until `finish` was called here. Default false: it ends once the
   * reader of `events` has dealt with that one's "finished".
   */
  readonly allowHalfOpen?: boolean;
}
