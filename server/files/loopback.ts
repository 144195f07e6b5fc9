// Loopback hosts, which only this machine can reach.
import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Whether the host is a loopback host. The only name that counts is localhost, which `bind` does not look up, because the
 * address of any other name can change.
 */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  // The list also matches IPv4 addresses that are mapped to IPv6.
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
