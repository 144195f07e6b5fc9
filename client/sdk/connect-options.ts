// The options of `connect`: the server, its authentication, the log-in, and stored state.
import type { ServerTrust } from "../../rpc/dialling/dial.ts";
import type { LinkOptions } from "../link/link-options.ts";
import type { EndpointOptions } from "../link/server/endpoint.ts";
import type { KeyPolicy } from "../peer/keys/contacts.ts";

/** A user's name and password. */
export interface PasswordLogin {
  /** The user's name, which must match exactly. */
  readonly username: string;
  /** The password. It is sent only to the server that `trust` authenticates, and not stored. */
  readonly password: string;
}

/** A session that another program started, such as `parley login`; `parley token` prints its token. */
export interface TokenLogin {
  /** The session's token. Until the session ends it works like a password: keep it out of logs and command lines. */
  readonly token: string;
}

/** The options of private chats. */
export interface PrivateChatOptions {
  /**
   * Where this device listens for peers. Without it every chat goes through the server's relay.
   */
  readonly listen?: {
    /** An address or a host name; "::" for all addresses. */
    readonly host: string;
    /** 0 for any free port. */
    readonly port: number;
  };
  /**
   * Whether a chat stays open after the peer has finished, until `finish` is called. Default false: the chat ends when
   * the reader of `events` has taken the peer's "finished".
   */
  readonly allowHalfOpen?: boolean;
  /**
   * Which keys are admitted. Default: all. Lines to a known contact whose key has changed, or whose device is not signed,
   * wait until `acceptKeys`; with `canAsk: false` such a chat does not open.
   */
  readonly policy?: KeyPolicy;
}

/** The options of `connect`: these, those of the endpoint, and those of the link that do not follow from the log-in. */
export interface ConnectOptions
  extends Omit<LinkOptions, "endpoint" | "token" | "serverId">,
    Omit<EndpointOptions, "address" | "trust"> {
  /** HOST:PORT; an IPv6 address in brackets. */
  readonly address: string;
  /**
   * How the server is authenticated. Default: its certificate verifies against the roots of the system and of Node.js.
   */
  readonly trust?: ServerTrust;
  /** The user, or an existing session. */
  readonly login: PasswordLogin | TokenLogin;
  /**
   * A folder for state that outlives the process: device, session, cursors, unsent messages and keys. It is created
   * with mode 0700. It needs a log-in with a password. Several processes of one user may share it. Without it nothing
   * is stored except through `cursors` and `queue`.
   */
  readonly stateFolder?: string;
  /**
   * Enables private chats from device to device: `Connection.privateChats` is then defined. It needs a log-in with a
   * password. With a `stateFolder` the keys outlive the process, so that contacts recognise the device. Default: none.
   */
  readonly privateChats?: PrivateChatOptions;
  /**
   * Where to start if no cursor is stored: "now" with new entries only, "recent" with the last 50 entries of each
   * conversation. Default "now".
   */
  readonly startAt?: "now" | "recent";
}
