// Probes a server: opens a TLS connection to read its certificate, and sends nothing.
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
// This is not a named import, because an older Node lacks getCACertificates and would fail before the SDK can say which
// Node it needs.
import * as tls from "node:tls";
import { waitFor } from "../../time/wait.ts";
import { type Address, parseAddress } from "../network/address.ts";
import { fingerprint } from "../network/fingerprint.ts";
import { ConnectError } from "../status/connect-error.ts";

/** The result of a probe. */
export interface Probed {
  /** "SHA256:" and the unpadded base64 of the SHA-256 of the server's public key. */
  readonly fingerprint: string;
  /** The server's own certificate, PEM. */
  readonly certificate: string;
  /**
   * Whether the certificate verifies for this address now, against the roots of this system and of Node, or against the
   * given authorities.
   */
  readonly trustedBySystem: boolean;
  /** Why the certificate does not verify, such as "DEPTH_ZERO_SELF_SIGNED_CERT". */
  readonly problem: string | undefined;
  /** The start of the certificate's validity. */
  readonly validFrom: Date;
  /** The end of the certificate's validity. */
  readonly validTo: Date;
}

/** Options of a probe. */
export interface ProbeOptions {
  /** How long the probe may take, ms. */
  readonly timeoutMs: number;
  /**
   * Authorities that replace the roots of this system and of Node, PEM. The server's own certificate can be one of
   * them.
   */
  readonly authorities?: string;
}

/**
 * Reads the certificate of a server. It trusts nothing and sends nothing.
 * @param address HOST:PORT; an IPv6 address in brackets
 * @throws ConnectError if nothing answers at the address, or it does not speak TLS
 */
export async function probe(address: string, options: ProbeOptions): Promise<Probed> {
  return probeAgainst(options.authorities ?? systemRoots(), address, options);
}

/**
 * Like `probe`, for a caller that only compares the fingerprint: the certificate is not verified against any authority.
 * This saves reading the roots of the system, which takes a tenth of a second of CPU time.
 */
export async function probeKey(address: string, options: ProbeOptions): Promise<Probed> {
  return probeAgainst([], address, options);
}

async function probeAgainst(
  ca: string | readonly string[],
  address: string,
  options: ProbeOptions,
): Promise<Probed> {
  const { host, port } = parseAddress(address);
  // The connection only reads the certificate, so it must be established with any certificate.
  const socket = tls.connect({
    host,
    port,
    servername: isIP(host) ? "" : host,
    ca: typeof ca === "string" ? ca : [...ca],
    allowPartialTrustChain: options.authorities !== undefined,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: false,
  });
  const secured = Promise.withResolvers<void>();
  socket.once("secureConnect", secured.resolve);
  socket.on("error", secured.reject);
  socket.once("close", () => secured.reject(new Error("the connection was closed during the TLS handshake")));
  try {
    const { status } = await waitFor(secured.promise, { ms: options.timeoutMs });
    if (status !== "done") throw timeout(address, options.timeoutMs);
    return read(socket);
  } catch (error) {
    throw explain(error, address, { host, port });
  } finally {
    socket.destroy();
  }
}

/**
 * The error for a server whose certificate is outside its period of validity; Node refuses such a certificate even if it
 * is its own root. Undefined if the time is not the problem.
 */
export function outOfTime(address: string, found: Probed): ConnectError | undefined {
  const { validFrom, validTo, problem = "" } = found;
  const now = Date.now();
  const isAuthoritysProblem = problem === "CERT_HAS_EXPIRED" || problem === "CERT_NOT_YET_VALID";
  const isInTime = validFrom.getTime() <= now && now <= validTo.getTime();
  if (isInTime && !isAuthoritysProblem) return undefined;
  const what = isInTime
    ? `The certificate of an authority that ${address} names is outside its period of validity.`
    : now < validFrom.getTime()
      ? `The certificate of ${address} is not valid before ${day(validFrom)}.`
      : `The certificate of ${address} expired on ${day(validTo)}.`;
  return new ConnectError({
    kind: "certificate-time",
    message: `${what} Check the clock of this machine, or ask the operator to renew the certificate.`,
  });
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}

let roots: string[] | undefined;

/** The roots of this system and of Node, PEM. They are read only once, since they come from some hundred files. */
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
      : `${address} does not speak TLS.`;
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
