// Which hosts only this machine can reach.
import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Of names, only localhost: another may mean anything tomorrow. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  // The list also knows 127.0.0.1 in its IPv6 clothes.
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
