// Decides how to trust the server at an address: by the stored key, by a probe of an unknown server, or by asking the
// person.

import { ConnectError, outOfTime, type Probed, probe, type Trust } from "../../../rpc/dialling/dial.ts";
import type { Endpoint } from "../../link/server/endpoint.ts";
import { checkTrust, isLoopback } from "../../link/server/trust.ts";
import type { Servers } from "../../state/servers.ts";
import type { Wanted } from "../command/account-flags.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import type { Asker } from "../process/prompts.ts";
import { commandLine } from "../process/quoted-command-line.ts";

const probeTimeoutMs = 10_000;

/** A server that may be used: the decision, which is not stored yet. */
export interface TrustedServer {
  readonly address: string;
  readonly trust: Trust;
  /** The key that the server presented; undefined if it was not probed, because the trust is the stored one. */
  readonly key: Probed | undefined;
  /** The trust differs from the stored one, or none is stored. */
  readonly isNew: boolean;
}

export interface TrustOptions {
  readonly servers: Servers;
  /** Undefined if the command must not ask. */
  readonly asker: Asker | undefined;
  /** Called with the line about a new key of a server on this machine. */
  readonly notice: (sentence: string) => void;
  /** The command to suggest, with `--server` and `--fingerprint` added, for accepting a changed key. */
  readonly retry: readonly string[];
  /** True before a log-in: a server that used plaintext is probed again, because it may use TLS now. */
  readonly isLogIn: boolean;
}

/**
 * Decides about the server at this address. Connects only if the server is unknown or the flags state the trust;
 * otherwise the connection that follows checks the pin. Stores nothing: `rememberConnected` does.
 * @throws CommandError if the server is not trusted, or no person can be asked; ConnectError
 */
export async function trustServer(
  address: string,
  wanted: Wanted,
  options: TrustOptions,
): Promise<TrustedServer> {
  const known = options.servers.find(address)?.trust;
  if (wanted.plaintext === true) {
    if (!isLoopback(address))
      throw usage(`--plaintext is for a server on this machine, and ${address} is not on it.`);
    if (known?.kind !== "plaintext" && (await speaksTls(address))) {
      throw new ConnectError({
        kind: "needs-tls",
        message: `${address} speaks TLS, and plaintext was asked for.`,
      });
    }
    return trusted(address, known, { kind: "plaintext" });
  }
  if (known !== undefined && wanted.fingerprint === undefined) {
    const isOutdated = known.kind === "plaintext" && options.isLogIn && (await speaksTls(address));
    if (!isOutdated) return trusted(address, known, known);
  }
  const found = await probe(address, { timeoutMs: probeTimeoutMs });
  const problem = outOfTime(address, found);
  if (problem !== undefined) throw problem;
  return trusted(address, known, await trustFromKey(address, found, wanted, known, options), found);
}

/**
 * Whether the unknown server at this address is a known one, recognised by its key. Then the address is stored as one of
 * its addresses.
 */
export async function recogniseServer(address: string, servers: Servers): Promise<boolean> {
  try {
    const found = await probe(address, { timeoutMs: probeTimeoutMs });
    const same = outOfTime(address, found) === undefined ? servers.withKey(found) : undefined;
    if (same !== undefined) servers.remember(address, same.trust, found);
    return same !== undefined;
  } catch (error) {
    // A server that cannot be reached, or has no TLS, is not recognised.
    if (error instanceof ConnectError) return false;
    throw error;
  }
}

/**
 * Connects, and then stores the trust if it is new. It is not stored before a connection succeeded, because the stored
 * trust would be lost to one that does not work.
 * @throws ConnectError
 */
export async function rememberConnected(
  servers: Servers,
  endpoint: Endpoint,
  { address, trust, key, isNew }: TrustedServer,
): Promise<void> {
  if (!isNew) return;
  await endpoint.connect();
  servers.remember(address, trust, key);
}

function trusted(address: string, known: Trust | undefined, trust: Trust, key?: Probed): TrustedServer {
  const isSame =
    known?.kind === trust.kind &&
    (trust.kind !== "pin" || (known.kind === "pin" && known.fingerprint === trust.fingerprint));
  return { address, trust, key, isNew: !isSame };
}

/** @throws ConnectError if nothing answers */
async function speaksTls(address: string): Promise<boolean> {
  try {
    await probe(address, { timeoutMs: probeTimeoutMs });
    return true;
  } catch (error) {
    if (error instanceof ConnectError && error.kind === "not-tls") return false;
    throw error;
  }
}

async function trustFromKey(
  address: string,
  found: Probed,
  wanted: Wanted,
  known: Trust | undefined,
  options: TrustOptions,
): Promise<Trust> {
  const { fingerprint, acceptNew } = wanted;
  if (known === undefined && fingerprint === undefined) {
    const same = options.servers.withKey(found);
    if (same !== undefined) return same.trust;
  }
  const decision = checkTrust(address, found, known, { fingerprint, acceptNew: acceptNew === true });
  switch (decision.verdict) {
    case "accept":
      if (decision.notice) {
        options.notice(`New server on this machine: ${address}. Its key is remembered: ${found.fingerprint}`);
      }
      return decision.trust;
    case "changed":
      throw changedKey(address, decision.known, decision.found, options.retry);
    case "ask":
      return askPerson(address, decision.fingerprint, options);
  }
}

async function askPerson(address: string, fingerprint: string, { asker }: TrustOptions): Promise<Trust> {
  if (asker === undefined) {
    throw usage(
      `The server at ${address} is not known yet, and no authority vouches for it. Its key is ${fingerprint}. If that is ` +
        `right, add --fingerprint ${fingerprint}, or --accept-new to trust any key that it has.`,
    );
  }
  asker.show(`The server at ${address} is not known yet, and no authority vouches for it. Its key is`);
  asker.show(`  ${fingerprint}`);
  if (!(await asker.confirm("Is that the key that its operator gave you?"))) {
    throw new CommandError(
      Exit.REFUSED,
      `Nothing was sent to ${address}. Ask its operator for the fingerprint.`,
    );
  }
  return { kind: "pin", fingerprint };
}

/** The error for a key that changed, with both fingerprints and the command that accepts the new one. */
export function changedKey(
  address: string,
  known: string | undefined,
  found: string,
  retry: readonly string[],
): CommandError {
  return new CommandError(Exit.CANNOT_CONNECT, [
    `STOP: the server at ${address} does not have the expected key. Nothing was sent.`,
    `  expected: ${known ?? "a key that an authority vouches for"}`,
    `  found:    ${found}`,
    "An attacker may be intercepting the connection, or the server was set up anew. Ask its operator. If the new key is right, run:",
    `  ${commandLine(...retry, "--server", address, "--fingerprint", found)}`,
  ]);
}

/** The error for a connection that failed, with a hint. `retry` as in TrustOptions. */
export function cannotConnect(address: string, error: ConnectError, retry: readonly string[]): CommandError {
  if (error.found !== undefined) return changedKey(address, error.expected, error.found, retry);
  const hints: Partial<Record<ConnectError["kind"], string>> = {
    unreachable: "Is the address right, and is the server running?",
    timeout: "Is the server running, and does a firewall block the connection?",
    "not-tls": isLoopback(address) ? "Add --plaintext if it is a server without TLS." : "",
    "needs-tls": "Leave out --plaintext. If you logged in with it, log in again without it.",
  };
  const message = `Cannot connect, so nothing was sent: ${error.message} ${hints[error.kind] ?? ""}`;
  return new CommandError(Exit.CANNOT_CONNECT, message.trim(), { cause: error });
}
