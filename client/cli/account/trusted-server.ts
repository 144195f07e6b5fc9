// Decides how to trust the server at an address: by the stored key, by a probe of an unknown server, or by asking the
// person.

import { ConnectError, probe, type Trust } from "../../../rpc/dialling/dial.ts";
import { checkTrust, isLoopback } from "../../link/server/trust.ts";
import type { Profiles } from "../../state/profiles.ts";
import type { Wanted } from "../command/account-flags.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import type { Asker } from "../process/prompts.ts";
import { commandLine } from "../process/quoted-command-line.ts";

const probeTimeoutMs = 10_000;

export interface TrustOptions {
  readonly profiles: Profiles;
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
 * The trust in the server at this address, which is stored. Connects only if the server is unknown or the flags state
 * the trust; otherwise the connection that follows checks the pin. A failure changes nothing that is stored.
 * @throws CommandError if the server is not trusted, or no person can be asked; ConnectError
 */
export async function trustServer(address: string, wanted: Wanted, options: TrustOptions): Promise<Trust> {
  const { profiles } = options;
  const known = profiles.server(address)?.trust;
  if (wanted.plaintext === true) {
    if (!isLoopback(address))
      throw usage(`--plaintext is for a server on this machine, and ${address} is not on it.`);
    if (known?.kind !== "plaintext" && (await speaksTls(address))) {
      throw new ConnectError({
        kind: "needs-tls",
        message: `${address} speaks TLS, and plaintext was asked for.`,
      });
    }
    return remember(profiles, address, known, { kind: "plaintext" });
  }
  if (known !== undefined && wanted.fingerprint === undefined) {
    const isOutdated = known.kind === "plaintext" && options.isLogIn && (await speaksTls(address));
    if (!isOutdated) return known;
  }
  const trust = await trustFromProbe(address, wanted, known, options);
  return remember(profiles, address, known, trust);
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

async function trustFromProbe(
  address: string,
  wanted: Wanted,
  known: Trust | undefined,
  options: TrustOptions,
): Promise<Trust> {
  const found = await probe(address, { timeoutMs: probeTimeoutMs });
  const { fingerprint, acceptNew } = wanted;
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

function remember(profiles: Profiles, address: string, known: Trust | undefined, trust: Trust): Trust {
  const same =
    known?.kind === trust.kind &&
    (trust.kind !== "pin" || (known.kind === "pin" && known.fingerprint === trust.fingerprint));
  if (!same) profiles.rememberServer(address, trust);
  return trust;
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
