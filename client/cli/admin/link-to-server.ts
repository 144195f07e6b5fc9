// The links that an administrator sends to people: they contain the server's address and key as this client knows them.
import { probeKey } from "../../../rpc/dialling/probe.ts";
import { formatPersonalLink, type PersonalLink } from "../account/invite-link.ts";
import type { SignedIn } from "../account/sign-in.ts";
import { commandLine } from "../process/quoted-command-line.ts";

const PROBE_MS = 10_000;

/** The command line to send to the person. */
export async function joinLine(
  { endpoint }: SignedIn,
  kind: PersonalLink["kind"],
  secret: string,
): Promise<string> {
  const { address } = endpoint;
  const fingerprint = await fingerprintOf(endpoint);
  return commandLine("parley", "join", formatPersonalLink({ address, kind, secret, fingerprint }));
}

/** The fingerprint of the server to which this client is connected; undefined without TLS. */
async function fingerprintOf({ address, trust }: SignedIn["endpoint"]): Promise<string | undefined> {
  if (trust.kind === "plaintext") return undefined;
  if (trust.kind === "pin") return trust.fingerprint;
  return (await probeKey(address, { timeoutMs: PROBE_MS })).fingerprint;
}
