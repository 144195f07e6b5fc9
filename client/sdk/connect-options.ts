// What a program says to connect: where, whom to trust, as whom, and what is remembered.
import type { ServerTrust } from "../../rpc/dialling/dial.ts";
import type { LinkOptions } from "../link/link-options.ts";
import type { EndpointOptions } from "../link/server/endpoint.ts";

/** A user's name and password. */
export interface PasswordLogin {
  /** The user's name; it has to match exactly. */
  readonly username: string;
  /** Sent over the connection that `trust` vouches for, and kept nowhere. */
  readonly password: string;
}

/** A session that was started elsewhere, such as by `parley login`; `parley token` prints its token. */
export interface TokenLogin {
  /** As good as the password until the session ends: keep it out of logs and command lines. */
  readonly token: string;
}

/** How private chats are to be had. */
export interface PrivateChatOptions {
  /**
   * Where this device may be dialled by others; port 0 takes any that is free. Left out: nowhere, and every chat goes
   * through the server's relay.
   */
  readonly listen?: {
    /** An address, or a name; "::" for all. */
    readonly host: string;
    /** 0 takes any that is free. */
    readonly port: number;
  };
  /**
   * A chat in which the other one has said all goes on until `finish` was called here. Default false: it ends once the
   * reader of `events` has dealt with that one's "finished".
   */
  readonly allowHalfOpen?: boolean;
}

/** Beside what is here, everything that a link can be told, but for what follows from the log-in. */
export interface ConnectOptions
  extends Omit<LinkOptions, "endpoint" | "token" | "serverId">,
    Omit<EndpointOptions, "address" | "trust"> {
  /** HOST:PORT; an IPv6 address in brackets. */
  readonly address: string;
  /** What makes the server the right one; left out: its certificate verifies against the roots of this system and of Node. */
  readonly trust?: ServerTrust;
  /** As whom. */
  readonly login: PasswordLogin | TokenLogin;
  /**
   * A folder for what has to outlive this process, made where it is not there, with mode 0700: device, session, cursors,
   * and what is unsent. Only with a password. Several processes of one user may share it. Left out: nothing outlives
   * the process, unless `cursors` and `queue` see to it.
   */
  readonly stateFolder?: string;
  /**
   * Have private chats, from device to device: `Connection.privateChats` is there then. Only with a password; with a
   * `stateFolder` the keys outlive the process, and contacts go on knowing this device by them. Default: none.
   */
  readonly privateChats?: PrivateChatOptions;
  /**
   * Where to begin as long as no cursor is stored: "now" with what comes from now on, "recent" with the last 50 entries
   * of each conversation. Default "now".
   */
  readonly startAt?: "now" | "recent";
}
