// What a program says to connect: where, whom to trust, as whom, and what is remembered.
import type { ServerTrust } from "../../rpc/dial.ts";
import type { EndpointOptions } from "../link/endpoint.ts";
import type { LinkOptions } from "../link/link-options.ts";

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
   * Where to begin as long as no cursor is stored: "now" with what comes from now on, "recent" with the last 50 entries
   * of each conversation. Default "now".
   */
  readonly startAt?: "now" | "recent";
}
