// From an address to a trusted server: what is known of its key, a look at an unknown one, and the question to a person.

import { ConnectError, probe, type Trust } from "../../../rpc/dialling/dial.ts";
import { checkTrust, isLoopback } from "../../link/server/trust.ts";
import type { Profiles } from "../../state/profiles.ts";
import type { Wanted } from "../command/account-flags.ts";
import { commandLine } from "../process/command-line.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import type { Asker } from "../process/prompts.ts";

const probeTimeoutMs = 10_000;

export interface TrustOptions {
  readonly profiles: Profiles;
  /** Undefined: nobody may be asked. */
  readonly asker: Asker | undefined;
  /** Hears the one line about a new key on this machine. */
  readonly notice: (sentence: string) => void;
  /** The words of a command to which `--server` and `--fingerprint` can be added, to accept a changed key. */
  readonly retry: readonly string[];
  /** A log-in comes next: a server that spoke plaintext is looked at again, as it may speak TLS by now. */
  readonly isLogIn: boolean;
}

/**
 * How to trust the server at this address, remembered from now on. Connects only where that is not known yet, or is said
 * anew: else the pin is checked by the connection that follows. What fails changes nothing that is remembered.
 * @throws CommandError where it is not to be trusted, or nobody may be asked; ConnectError
 */
export async function trustServer(address: string, wanted: Wanted, reaching: TrustOptions): Promise<Trust> {
  const { profiles } = reaching;
  const known = profiles.server(address)?.trust;
  if (wanted.plaintext === true) {
    if (!isLoopback(address)) throw usage(`--plaintext is for this machine only, and ${address} is another.`);
    if (known?.kind !== "plaintext" && (await speaksTls(address))) {
      throw new ConnectError({
        kind: "needs-tls",
        message: `${address} speaks TLS, and plaintext was asked for.`,
      });
    }
    return remember(profiles, address, known, { kind: "plaintext" });
  }
  if (known !== undefined && wanted.fingerprint === undefined) {
    const isToBeSeen = known.kind === "plaintext" && reaching.isLogIn && (await speaksTls(address));
    if (!isToBeSeen) return known;
  }
  const trust = await look(address, wanted, known, reaching);
  return remember(profiles, address, known, trust);
}

/** @throws ConnectError where nothing answers */
async function speaksTls(address: string): Promise<boolean> {
  try {
    await probe(address, { timeoutMs: probeTimeoutMs });
    return true;
  } catch (error) {
    if (error instanceof ConnectError && error.kind === "not-tls") return false;
    throw error;
  }
}

async function look(
  address: string,
  wanted: Wanted,
  known: Trust | undefined,
  reaching: TrustOptions,
): Promise<Trust> {
  const found = await probe(address, { timeoutMs: probeTimeoutMs });
  const { fingerprint, acceptNew } = wanted;
  const decision = checkTrust(address, found, known, { fingerprint, acceptNew: acceptNew === true });
  switch (decision.verdict) {
    case "accept":
      if (decision.notice) {
        reaching.notice(
          `New server on this machine, ${address}, with the key ${found.fingerprint}: remembered.`,
        );
      }
      return decision.trust;
    case "changed":
      throw changedKey(address, decision.known, decision.found, reaching.retry);
    case "ask":
      return askPerson(address, decision.fingerprint, reaching);
  }
}

async function askPerson(address: string, fingerprint: string, { asker }: TrustOptions): Promise<Trust> {
  if (asker === undefined) {
    throw usage(
      `The server at ${address} is new here, and no authority vouches for it. Its key is ${fingerprint}. If that is ` +
        `right, add --fingerprint ${fingerprint}; or --accept-new, to trust whatever answers.`,
    );
  }
  asker.show(
    `The server at ${address} is new here, and no authority vouches for it. Its key is\n  ${fingerprint}`,
  );
  if (!(await asker.confirm("Is that what its operator gave you?"))) {
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

/** The hard stop: both values, and the exact command that accepts the new one. */
export function changedKey(
  address: string,
  known: string | undefined,
  found: string,
  retry: readonly string[],
): CommandError {
  return new CommandError(
    Exit.CANNOT_CONNECT,
    [
      `STOP: the server at ${address} does not have the key that is expected of it. Nothing was sent.`,
      `  expected: ${known ?? "one that an authority vouches for"}`,
      `  found:    ${found}`,
      "Someone may be listening in, or the server was set up anew: ask its operator. If the new key is right, run:",
      `  ${commandLine(...retry, "--server", address, "--fingerprint", found)}`,
    ].join("\n"),
  );
}

/** What a connection that failed means to a person. `retry` as in TrustOptions. */
export function cannotConnect(address: string, error: ConnectError, retry: readonly string[]): CommandError {
  if (error.found !== undefined) return changedKey(address, error.expected, error.found, retry);
  const hints: Partial<Record<ConnectError["kind"], string>> = {
    unreachable: "Is the server running there?",
    timeout: "Is the server running there, and is a firewall between?",
    "not-tls": isLoopback(address) ? "Add --plaintext if that is what it serves." : "",
    "needs-tls": "Leave out --plaintext; where that was remembered, log in again without it.",
  };
  const message = `Cannot connect, so nothing was sent: ${error.message} ${hints[error.kind] ?? ""}`;
  return new CommandError(Exit.CANNOT_CONNECT, message.trim(), { cause: error });
}
