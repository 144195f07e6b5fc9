// TLS for a grpc-js server: TLS 1.3 only, limits for HTTP/2, and a certificate that can be replaced while it serves.
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { SecureServerCredentials } from "../grpc-js-internals.ts";

/** A private key and a certificate chain that belong together, PEM. */
export interface Certificate {
  /** The private key, without a passphrase. */
  readonly key: string;
  /** The certificate, followed by any intermediate certificates. */
  readonly cert: string;
}

/** Options of Node's http2; grpc-js has no options for them. */
const http2Limits = {
  /** How long a TLS handshake may take, ms; Node's default is two minutes. */
  handshakeTimeout: 5_000,
  /** How long a peer that speaks TLS but not HTTP/2 may take to disconnect, ms. */
  unknownProtocolTimeout: 1_000,
  /** The number of invalid frames and refused streams after which the connection is closed. */
  maxSessionInvalidFrames: 50,
  /** Streams opened and reset by the peer: in a burst, and per second after it. A normal client resets a few. */
  streamResetBurst: 200,
  streamResetRate: 20,
  /** Headers of one request, HTTP/2's own included. In bytes Node's own bound of 64 KiB applies. */
  maxHeaderListPairs: 64,
} as const;

export class TlsServerCredentials extends SecureServerCredentials {
  /** @throws Error if key and certificate do not belong together */
  constructor(certificate: Certificate) {
    super({ ...http2Limits, ALPNProtocols: ["h2"], allowHTTP1: false }, contextOptions(certificate));
  }

  /** New connections use it, open ones keep theirs. @throws Error if it is not usable; the old one then stays */
  replace(certificate: Certificate): void {
    this.replaceContext(contextOptions(certificate));
  }
}

function contextOptions({ key, cert }: Certificate): SecureContextOptions {
  // The minimum version is part of every replacement: setSecureContext resets what it is not given.
  const options: SecureContextOptions = { key, cert, minVersion: "TLSv1.3" };
  try {
    // Checked first: grpc-js accepts a bad certificate, and then drops every connection.
    createSecureContext(options);
  } catch (cause) {
    throw new Error("The certificate and its private key cannot be used together. Check both PEM files.", {
      cause,
    });
  }
  return options;
}
