// Opens a channel to one server, with a stated kind of trust, a connect timeout, and errors that say what is wrong.
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type PeerCertificate } from "node:tls";
import {
  Channel,
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  type ClientOptions,
  connectivityState,
  credentials,
  makeGenericClientConstructor,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { waitFor } from "../../time/wait.ts";
import { type Definition, strictDefinition } from "../calls/decode.ts";
import { type Address, parseAddress } from "../network/address.ts";
import { fingerprint } from "../network/fingerprint.ts";
import { ConnectError } from "../status/connect-error.ts";
import { outOfTime, type Probed, probe, probeKey, systemRoots, timeout } from "./probe.ts";
import { targetOf } from "./target.ts";

export { fingerprintOf } from "../network/fingerprint.ts";
export { ConnectError, type ConnectErrorKind } from "../status/connect-error.ts";
export { type CallOptions, call } from "./call.ts";
export { outOfTime, type Probed, type ProbeOptions, probe } from "./probe.ts";

/** How a server is authenticated, in a form that can be stored. */
export type Trust =
  /** The server's certificate must verify for the address against the roots of this system and of Node. */
  | { readonly kind: "system" }
  /**
   * The server must prove that it has the key with this fingerprint. The names and the issuer of its certificate do not
   * matter.
   */
  | {
      readonly kind: "pin";
      /** "SHA256:" and 43 characters, as the server prints it. */
      readonly fingerprint: string;
    }
  /** The server is not authenticated, and the connection is not encrypted. */
  | { readonly kind: "plaintext" };

/** The server's certificate must verify for the address against these authorities only. */
export interface AuthorityTrust {
  readonly kind: "authority";
  /** One or more certificates of authorities or of the server itself, PEM. */
  readonly certificates: string;
}

/** How a server is authenticated. */
export type ServerTrust = Trust | AuthorityTrust;

export interface DialOptions {
  /** HOST:PORT; an IPv6 address in brackets. */
  readonly address: string;
  readonly trust: ServerTrust;
  /** The time between pings while a call is open, and how long the answer may take, ms; default 25 s and 10 s. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
  /** The longest response message, bytes; default 4 MiB. */
  readonly responseBytes?: number;
  /** How long the probe of a server with a pinned key may take, ms; default 10 s. */
  readonly probeTimeoutMs?: number;
}

/** The constructor of a generated client. */
export interface ClientConstructor<C extends Client> {
  new (address: string, channelCredentials: ChannelCredentials, options?: Partial<ClientOptions>): C;
  readonly service: Definition;
  readonly serviceName: string;
}

export interface Dialled extends Disposable {
  readonly address: string;
  readonly channel: Channel;
  /** The arguments for the constructor of any client: `new C(target, credentials, clientOptions)`. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly clientOptions: ClientOptions;
  /** A generated client over this channel that decodes strictly: a response can be an Undecodable. */
  client<C extends Client>(Generated: ClientConstructor<C>): C;
  /**
   * Resolves when the connection is established. grpc-js itself retries endlessly and does not report why it fails.
   * @throws ConnectError; to retry, dial again, since the server may by then have another certificate for the same key
   */
  ready(timeoutMs: number): Promise<void>;
}

/**
 * Opens a channel. A server with a pinned key is probed first.
 * @throws ConnectError if the probe fails; Error if the address is not valid
 */
export async function dial(options: DialOptions): Promise<Dialled> {
  const { address, trust } = options;
  const parsed = parseAddress(address);
  const channelCredentials = await credentialsFor(options, parsed);
  return dialledOver({
    address,
    target: targetOf(parsed),
    credentials: channelCredentials,
    channelOptions: {
      ...channelOptions(options),
      // TLS does not allow an IP address as the server name. The credentials check the address themselves.
      ...(isIP(parsed.host) && trust.kind !== "plaintext"
        ? { "grpc.ssl_target_name_override": "server" }
        : {}),
    },
    diagnose: (remainingMs) => diagnose(address, trust, remainingMs),
  });
}

export interface ChannelParts {
  readonly address: string;
  /** A target of grpc-js: "dns:HOST:PORT", "unix:PATH". */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
  /** Finds out, within `remainingMs`, why the connection cannot be established. */
  readonly diagnose: (remainingMs: number) => Promise<ConnectError>;
}

/** Opens a channel, with clients that decode strictly. */
export function dialledOver(parts: ChannelParts): Dialled {
  const { address, target } = parts;
  const channel = new Channel(target, parts.credentials, parts.channelOptions);
  return {
    address,
    channel,
    target,
    credentials: parts.credentials,
    clientOptions: { channelOverride: channel },
    client: <C extends Client>(Generated: ClientConstructor<C>) => {
      const definition = strictDefinition(Generated.service) as ServiceDefinition;
      const Strict = makeGenericClientConstructor(definition, Generated.serviceName);
      // This client has the methods of `Generated`, since the definitions differ only in how they decode.
      return new Strict(target, parts.credentials, { channelOverride: channel }) as Client as C;
    },
    ready: (timeoutMs) => ready(channel, parts, timeoutMs),
    [Symbol.dispose]: () => channel.close(),
  };
}

export function channelOptions(options: Pick<DialOptions, "keepalive" | "responseBytes">): ChannelOptions {
  return {
    // Otherwise, channels to one server would share connections, and with them the trust of the first channel.
    "grpc.use_local_subchannel_pool": 1,
    // The caller decides which calls are retried.
    "grpc.enable_retries": 0,
    "grpc.keepalive_time_ms": options.keepalive?.timeMs ?? 25_000,
    "grpc.keepalive_timeout_ms": options.keepalive?.timeoutMs ?? 10_000,
    "grpc.keepalive_permit_without_calls": 0,
    "grpc.max_receive_message_length": options.responseBytes ?? 4 * 1024 * 1024,
    "grpc.initial_reconnect_backoff_ms": 1_000,
    "grpc.max_reconnect_backoff_ms": 30_000,
    // The probe of the server does not use a proxy, either.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_channelz": 0,
  };
}

async function credentialsFor(options: DialOptions, { host }: Address): Promise<ChannelCredentials> {
  const { address, trust } = options;
  switch (trust.kind) {
    case "plaintext":
      return credentials.createInsecure();
    case "system":
    case "authority":
      return credentials.createFromSecureContext(
        createSecureContext(
          trust.kind === "system"
            ? { ca: systemRoots() }
            : { ca: trust.certificates, allowPartialTrustChain: true },
        ),
        {
          checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
            checkServerIdentity(host, certificate),
        },
      );
    case "pin": {
      const found = await probeKey(address, { timeoutMs: options.probeTimeoutMs ?? 10_000 });
      if (found.fingerprint !== trust.fingerprint)
        throw mismatch(address, trust.fingerprint, found.fingerprint);
      const problem = outOfTime(address, found);
      if (problem !== undefined) throw problem;
      // The certificate itself is the root, whatever its issuer, so that it verifies and checkServerIdentity decides.
      // With rejectUnauthorized off, Node would not always call checkServerIdentity, and would ignore its result.
      const context = createSecureContext({
        ca: found.certificate,
        allowPartialTrustChain: true,
        minVersion: "TLSv1.3",
      });
      return credentials.createFromSecureContext(context, {
        checkServerIdentity: (_name: string, { raw }: PeerCertificate) => {
          const shown = fingerprint(new X509Certificate(raw));
          return shown === trust.fingerprint ? undefined : mismatch(address, trust.fingerprint, shown);
        },
      });
    }
  }
}

async function ready(channel: Channel, parts: ChannelParts, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return;
    if (state === connectivityState.SHUTDOWN) {
      throw new ConnectError({ kind: "unreachable", message: "The connection was closed." });
    }
    const remaining = end - performance.now();
    if (remaining <= 0) throw timeout(parts.address, timeoutMs);
    if (state === connectivityState.TRANSIENT_FAILURE) throw await parts.diagnose(remaining);
    await nextState(channel, state, remaining);
  }
}

/** Resolves when the state changes, or after `timeoutMs`. */
async function nextState(channel: Channel, state: connectivityState, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  channel.watchConnectivityState(state, Date.now() + timeoutMs, () => resolve());
  // The deadline of grpc-js depends on the wall clock, which can jump; this one does not.
  await waitFor(promise, { ms: timeoutMs });
}

/** Probes the server to find out what is wrong, which grpc-js does not report. */
async function diagnose(address: string, trust: ServerTrust, timeoutMs: number): Promise<ConnectError> {
  let found: Probed;
  try {
    const authorities = trust.kind === "authority" ? { authorities: trust.certificates } : {};
    const look = trust.kind === "pin" || trust.kind === "plaintext" ? probeKey : probe;
    found = await look(address, { timeoutMs, ...authorities });
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    if (trust.kind !== "plaintext" || error.kind !== "not-tls") return error;
    return new ConnectError({
      kind: "unreachable",
      message: `${address} answers, but not with gRPC.`,
      cause: error,
    });
  }
  switch (trust.kind) {
    case "plaintext":
      return new ConnectError({
        kind: "needs-tls",
        message: `${address} speaks TLS, and plaintext was asked for.`,
      });
    case "pin":
      if (found.fingerprint !== trust.fingerprint)
        return mismatch(address, trust.fingerprint, found.fingerprint);
      return outOfTime(address, found) ?? refused(address);
    case "system":
    case "authority":
      if (!found.trustedBySystem) {
        const problem = outOfTime(address, found);
        if (problem !== undefined) return problem;
        const message = `The certificate of ${address} does not verify: ${found.problem}.`;
        return new ConnectError({ kind: "untrusted", message, found: found.fingerprint });
      }
  }
  return refused(address);
}

function refused(address: string): ConnectError {
  return new ConnectError({
    kind: "unreachable",
    message: `${address} does not accept the connection. Try again.`,
  });
}

function mismatch(address: string, expected: string, found: string): ConnectError {
  const message = `The key of ${address} is not the pinned one: expected ${expected}, found ${found}.`;
  return new ConnectError({ kind: "fingerprint-mismatch", message, expected, found });
}
