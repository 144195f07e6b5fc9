// The addresses at which a peer may reach this device: those of its network interfaces.
import { networkInterfaces } from "node:os";

/** The most that the contract allows. */
const MAX_ADDRESSES = 16;

/**
 * HOST:PORT for each address of an interface; IPv6 addresses are in brackets. Loopback addresses come last. They work
 * if both devices are on one machine, and elsewhere the certificate check rejects a wrong machine.
 */
export function ownAddresses(port: number, interfaces = networkInterfaces()): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  // A link-local address is useless on another machine without the name of its interface there.
  const usable = all.filter(({ address }) => !/^fe[89ab]/i.test(address) && !address.startsWith("169.254."));
  const ranked = usable.sort((a, b) => Number(a.internal) - Number(b.internal));
  const names = ranked.map(({ address, family }) => (family === "IPv6" ? `[${address}]` : address));
  return [...new Set(names)].slice(0, MAX_ADDRESSES).map((host) => `${host}:${port}`);
}
