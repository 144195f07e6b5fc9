// The addresses at which a peer may dial a device: those that it reports, and the one that the server sees. They are
// never logged.
import { isIP } from "node:net";
import type { AnswerIntroductionRequest } from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { parseAddress } from "../../rpc/network/address.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";

/**
 * The seen address with the reported port, then the reported addresses in their order, without duplicates. The seen one
 * comes first, because a caller dials only a few.
 * @param seen the IP address from which the device calls, without port
 * @throws Refusal INVALID_FIELD
 */
export function directAddresses(
  { addresses, port }: Pick<AnswerIntroductionRequest, "addresses" | "port">,
  seen: string,
): string[] {
  if (addresses.length > limits.directAddresses) {
    throw invalid("addresses", `At most ${limits.directAddresses} addresses.`);
  }
  if (port > 65_535) throw invalid("port", "A port must be 1 to 65535, or 0 for none.");
  for (const [index, address] of addresses.entries()) {
    if (!isAddress(address))
      throw invalid(`addresses[${index}]`, "An address must be an IP address and a port, at most 64 bytes.");
  }
  const all = new Set<string>();
  // Remove the zone of an IPv6 address, which is valid on this host only.
  const host = seen.replace(/%.*$/, "");
  if (port !== 0 && isIP(host) !== 0) all.add(isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`);
  for (const address of addresses) all.add(address);
  return [...all];
}

function isAddress(text: string): boolean {
  if (Buffer.byteLength(text) > limits.addressBytes) return false;
  try {
    // A host name would let the device choose which names the caller's device looks up.
    return isIP(parseAddress(text).host) !== 0;
  } catch {
    // parseAddress throws for text that is not an address.
    return false;
  }
}

function invalid(field: string, message: string): Refusal {
  return new Refusal(Reason.INVALID_FIELD, { field, message });
}
