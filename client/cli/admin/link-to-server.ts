// The links that an administrator sends to people: they contain the server's address and key as this client knows them.
import { ConnectError, outOfTime, probe } from "../../../rpc/dialling/dial.ts";
import type { Endpoint } from "../../link/server/endpoint.ts";
import { formatPersonalLink, type PersonalLink } from "../account/invite-link.ts";
import { commandLine } from "../process/quoted-command-line.ts";

const PROBE_MS = 10_000;

/**
 * The command line to send to the person.
 * @throws ConnectError if the server's key is needed and cannot be verified
 */
export async function joinLine(
  { endpoint }: { readonly endpoint: Pick<Endpoint, "address" | "trust"> },
  kind: PersonalLink["kind"],
  secret: string,
): Promise<string> {
  const { address } = endpoint;
  const fingerprint = await fingerprintOf(endpoint);
  return commandLine("parley", "join", formatPersonalLink({ address, kind, secret, fingerprint }));
}

/** The fingerprint of the server's key; undefined without TLS. */
async function fingerprintOf({
  address,
  trust,
}: Pick<Endpoint, "address" | "trust">): Promise<string | undefined> {
  if (trust.kind === "plaintext") return undefined;
  if (trust.kind === "pin") return trust.fingerprint;
  // The person will trust this key alone, so it is verified like that of the connection that made the secret.
  const found = await probe(address, { timeoutMs: PROBE_MS });
  const problem = outOfTime(address, found);
  if (problem !== undefined) throw problem;
  if (found.trustedBySystem) return found.fingerprint;
  throw new ConnectError({
    kind: "untrusted",
    message: `No authority vouches for the key that ${address} presents now, so no link to it is printed.`,
  });
}
