// One look at a server: a TLS connection of its own that finds the certificate, and sends nothing.
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
// Not by names: an older Node lacks getCACertificates, and would stop at that before the SDK can say which Node it needs.
import * as tls from "node:tls";
import { type Address, parseAddress } from "../network/address.ts";
import { fingerprint } from "../network/fingerprint.ts";
import { ConnectError } from "../status/connect-error.ts";

/** What one look at a server found. */
export interface Probed {
  /** "SHA256:" and the unpadded base64 of the SHA-256 of the server's public key. */
  readonly fingerprint: string;
  /** The server's own certificate, PEM. */
  readonly certificate: string;
  /** It verifies against the roots of this system and of Node, or those that were given, for this address, now. */
  readonly trustedBySystem: boolean;
  /** Why it does not, if so, such as "DEPTH_ZERO_SELF_SIGNED_CERT". */
  readonly problem: string | undefined;
  /** When its certificate begins to be valid. */
  readonly validFrom: Date;
  /** When its certificate ceases to be valid. */
  readonly validTo: Date;
}

/** How to look. */
export interface ProbeOptions {
  /** How long the look may take, ms. */
  readonly timeoutMs: number;
  /** Authorities in place of the roots of this system and of Node, PEM; one of them may be the server's own certificate. */
  readonly authorities?: string;
}

/**
 * Looks at a server, to find its key: trusts nothing, and sends nothing.
 * @param address HOST:PORT; an IPv6 address in brackets
 * @throws ConnectError where nothing answers there, or it does not speak TLS
 */
export async function probe(address: string, options: ProbeOptions): Promise<Probed> {
  const { host, port } = parseAddress(address);
  // Nothing is trusted by this connection, it only looks: so it has to stand whatever the certificate is.
  const socket = tls.connect({
    host,
    port,
    servername: isIP(host) ? "" : host,
    ca: options.authorities ?? systemRoots(),
    allowPartialTrustChain: options.authorities !== undefined,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
  });
  const outcome = Promise.withResolvers<void>();
  socket.once("secureConnect", outcome.resolve);
  socket.on("error", outcome.reject);
  socket.once("close", () => outcome.reject(new Error("the connection was closed during the TLS handshake")));
  const timer = setTimeout(() => outcome.reject(timeout(address, options.timeoutMs)), options.timeoutMs);
  try {
    await outcome.promise;
    return read(socket);
  } catch (error) {
    throw explain(error, address, { host, port });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

let roots: string[] | undefined;

/** What this system and Node trust, PEM. Read once: it is some hundred files. */
export function systemRoots(): string[] {
  roots ??= [...new Set([...tls.getCACertificates("default"), ...tls.getCACertificates("system")])];
  return roots;
}

export function timeout(address: string, timeoutMs: number): ConnectError {
  return new ConnectError({
    kind: "timeout",
    message: `${address} did not answer within ${timeoutMs / 1000} s.`,
  });
}

function read(socket: tls.TLSSocket): Probed {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Error("the server showed no certificate");
  const problem: unknown = socket.authorizationError;
  return {
    fingerprint: fingerprint(certificate),
    certificate: certificate.toString(),
    trustedBySystem: socket.authorized,
    problem: socket.authorized ? undefined : problem instanceof Error ? problem.message : String(problem),
    validFrom: certificate.validFromDate,
    validTo: certificate.validToDate,
  };
}

function explain(cause: unknown, address: string, { host, port }: Address): ConnectError {
  if (cause instanceof ConnectError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("ERR_SSL_")) {
    const isAlert = code.includes("_ALERT_");
    const message = isAlert
      ? `${address} speaks TLS, but refused this client (${code}).`
      : `${address} does not speak TLS. If it serves plaintext, say so here as well.`;
    return new ConnectError({ kind: isAlert ? "untrusted" : "not-tls", message, cause });
  }
  const message =
    code === "ECONNREFUSED"
      ? `Nothing listens on port ${port} of ${host}.`
      : code === "ENOTFOUND" || code === "EAI_AGAIN"
        ? `The host name ${host} is not known.`
        : `${address} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}.`;
  return new ConnectError({ kind: "unreachable", message, cause });
}
