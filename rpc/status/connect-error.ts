// Why a connection did not come to stand. Whoever gets one knows that nothing was sent.

/** Why a connection did not come to stand. */
export type ConnectErrorKind =
  /** Nobody answers there, or the name is not known. */
  | "unreachable"
  /** The server's key is not the pinned one. */
  | "fingerprint-mismatch"
  /** The server's certificate does not verify. */
  | "untrusted"
  /** TLS was wanted, and something answers that does not speak it. */
  | "not-tls"
  /** Plaintext was wanted, and the server speaks TLS. */
  | "needs-tls"
  /** It took longer than it may. */
  | "timeout";

/** What an error of this kind is made of. */
export interface ConnectErrorOptions {
  readonly kind: ConnectErrorKind;
  /** A sentence for a person. */
  readonly message: string;
  readonly cause?: unknown;
  /** Of "fingerprint-mismatch": the pinned one and the server's. */
  readonly expected?: string;
  readonly found?: string;
}

/** There is no connection that can be trusted, and surely nothing was sent. */
export class ConnectError extends Error {
  override name = "ConnectError";
  /** Why. */
  readonly kind: ConnectErrorKind;
  /** Of "fingerprint-mismatch": the pinned fingerprint. */
  readonly expected: string | undefined;
  /** Of "fingerprint-mismatch" and "untrusted": the fingerprint of the server that answers. */
  readonly found: string | undefined;

  /** @internal */
  constructor(options: ConnectErrorOptions) {
    super(options.message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = options.kind;
    this.expected = options.expected;
    this.found = options.found;
  }
}
