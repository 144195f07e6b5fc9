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

/** How long a TLS handshake may take, ms; Node's default is two minutes. */
const HANDSHAKE_MS = 5_000;

/** Options of Node's http2 that grpc-js has no options for, with and without TLS. */
export const http2Limits = {
  /** How long a peer that speaks TLS but not HTTP/2 may take to disconnect, ms. */
  unknownProtocolTimeout: 1_000,
  /** The number of invalid frames and refused streams after which the connection is closed. */
  maxSessionInvalidFrames: 50,
  /** How many streams the peer may open and reset, in a burst and then per second. A normal client resets a few. */
  streamResetBurst: 200,
  streamResetRate: 20,
} as const;

export class TlsServerCredentials extends SecureServerCredentials {
  /** @throws Error if key and certificate do not belong together */
  constructor(certificate: Certificate) {
    super(
      { handshakeTimeout: HANDSHAKE_MS, ALPNProtocols: ["h2"], allowHTTP1: false },
      contextOptions(certificate),
    );
  }

  /**
   * Replaces the certificate for new connections; open ones keep theirs. @throws Error if it is not usable; the old one
   * then stays
   */
  replace(certificate: Certificate): void {
    this.replaceContext(contextOptions(certificate));
  }
}

function contextOptions({ key, cert }: Certificate): SecureContextOptions {
  // Every replacement includes the minimum version, because setSecureContext resets any option that it is not given.
  const options: SecureContextOptions = { key, cert, minVersion: "TLSv1.3" };
  try {
    // Check the certificate first, because grpc-js would accept a bad one and then drop every connection.
    createSecureContext(options);
  } catch (cause) {
    throw new Error("The certificate and its private key cannot be used together. Check both PEM files.", {
      cause,
    });
  }
  return options;
}
