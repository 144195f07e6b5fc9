// Where a device may be dialled: what it says itself, and what the server sees of it. Never logged.
import { isIP } from "node:net";
import type { AnswerIntroductionRequest } from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { parseAddress } from "../../rpc/network/address.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";

/**
 * Each once, in the order given, the seen one last.
 * @param seen the address from which the device calls, without port
 * @throws Refusal INVALID_FIELD
 */
export function directAddresses(
  { addresses, port }: Pick<AnswerIntroductionRequest, "addresses" | "port">,
  seen: string,
): string[] {
  if (addresses.length > limits.directAddresses) {
    throw invalid("addresses", `At most ${limits.directAddresses} addresses.`);
  }
  if (port > 65_535) throw invalid("port", "A port is 1 to 65535, or 0 for none.");
  for (const [index, address] of addresses.entries()) {
    if (!isAddress(address))
      throw invalid(`addresses[${index}]`, "An address is HOST:PORT, at most 64 bytes.");
  }
  const all = new Set(addresses);
  // Without an interface's name, which says nothing elsewhere.
  const host = seen.replace(/%.*$/, "");
  if (port !== 0 && isIP(host) !== 0) all.add(isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`);
  return [...all];
}

function isAddress(text: string): boolean {
  if (Buffer.byteLength(text) > limits.addressBytes) return false;
  try {
    const { host } = parseAddress(text);
    return isIP(host) !== 0 || /^(?=.*[a-z])[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(host);
  } catch {
    // It says only that it is none.
    return false;
  }
}

function invalid(field: string, message: string): Refusal {
  return new Refusal(Reason.INVALID_FIELD, { field, message });
}
