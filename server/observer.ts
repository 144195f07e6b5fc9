// What a server reports to the part that counts its calls. A server without an observer counts nothing.

/** The functions must not throw, and must return quickly. */
export interface ServerObserver {
  /**
   * A call has ended.
   * @param method such as "AuthService/LogIn" @param reason the refusal that ended it; undefined if it succeeded
   */
  callEnded(method: string, reason: string | undefined): void;
  /** A command of a stream was refused. The stream goes on. */
  commandRefused(reason: string): void;
}

/** The state of a running server, for gauges. */
export interface ServerState {
  /** Open connections, with a session or without. */
  readonly connections: number;
  /** Open Connect and Follow streams. */
  readonly streams: number;
  /** Users with at least one open stream. */
  readonly users: number;
  /** The bytes that wait to be sent on all streams. */
  readonly outboxBytes: number;
}
