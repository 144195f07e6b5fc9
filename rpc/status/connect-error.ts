// The error of a connection that could not be established, before anything was sent.

/** Why a connection could not be established. */
export type ConnectErrorKind =
  /** Nothing answers at the address, or the host name is not known. */
  | "unreachable"
  /** The server's key is not the pinned one. */
  | "fingerprint-mismatch"
  /** The server's certificate does not verify. */
  | "untrusted"
  /** The server's certificate has expired or is not valid yet, and verifies otherwise. It may be renewed, so try again. */
  | "certificate-time"
  /** TLS was requested, and the server does not speak it. */
  | "not-tls"
  /** Plaintext was requested, and the server speaks TLS. */
  | "needs-tls"
  /** It took longer than allowed. */
  | "timeout";

/** The fields of a ConnectError. */
export interface ConnectErrorOptions {
  readonly kind: ConnectErrorKind;
  /** A sentence for a person. */
  readonly message: string;
  readonly cause?: unknown;
  /** Of "fingerprint-mismatch": the pinned fingerprint and the server's. */
  readonly expected?: string;
  readonly found?: string;
}

/** No trusted connection could be established. Nothing was sent. */
export class ConnectError extends Error {
  override name = "ConnectError";
  /** Why it could not be established. */
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
