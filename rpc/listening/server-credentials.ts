// TLS for a grpc-js server: TLS 1.3 only, Node's HTTP/2 limits, and a certificate that can be replaced while it serves.
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";

/** A private key and a certificate chain that belong together, PEM. */
export interface Certificate {
  /** The private key, without a passphrase. */
  readonly key: string;
  /** The certificate, and what comes between it and its authority. */
  readonly cert: string;
}

/** Given to Node's http2 as they are; grpc-js has no options for them. */
const http2Limits = {
  /** How long a TLS handshake may take, ms; Node's own is two minutes. */
  handshakeTimeout: 5_000,
  /** How long a peer that speaks TLS but not HTTP/2 may take to hang up, ms. */
  unknownProtocolTimeout: 1_000,
  /** Frames against the protocol, and refused streams, until the connection is closed. */
  maxSessionInvalidFrames: 50,
  /** Streams opened and reset by the peer: at once, and per second. A person's client resets a few. */
  streamResetBurst: 200,
  streamResetRate: 20,
  /** Headers of one request, HTTP/2's own included: a token, and some of gRPC. In bytes Node's own bound holds, 64 KiB. */
  maxHeaderListPairs: 64,
} as const;

/**
 * The object that grpc-js spreads into `http2.createSecureServer` is what its subclasses give to the constructor here.
 * That is half internal: each setting has a test.
 */
export class TlsServerCredentials extends ServerCredentials {
  /** @throws Error where key and certificate do not fit together */
  constructor(certificate: Certificate) {
    // No `settings` here: they would replace those that grpc-js makes, and with them the bound on open calls.
    super({ ...http2Limits, ALPNProtocols: ["h2"], allowHTTP1: false }, contextOptions(certificate));
  }

  /** New connections get it, open ones stay. @throws Error where it is no certificate; the old one then stays. */
  replace(certificate: Certificate): void {
    this.updateSecureContextOptions(contextOptions(certificate));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOptions({ key, cert }: Certificate): SecureContextOptions {
  // With every replacement again: setSecureContext forgets the minimum that it is not told.
  const options: SecureContextOptions = { key, cert, minVersion: "TLSv1.3" };
  try {
    // Tried first: from a bad one grpc-js would make a server that drops every connection.
    createSecureContext(options);
  } catch (cause) {
    throw new Error("The certificate and its private key cannot be used together: check both PEM files.", {
      cause,
    });
  }
  return options;
}
