// Where this device may be dialled: the addresses of its interfaces that are worth a try.
import { networkInterfaces } from "node:os";

/** As many as the contract lets through. */
const MOST = 16;

/**
 * HOST:PORT for each address of an interface, an IPv6 one in brackets. Loopback addresses come last: they are good where
 * both devices are on one machine, and the certificate tells whether it is the right one.
 */
export function ownAddresses(port: number, interfaces = networkInterfaces()): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  // An address of one link only means nothing on another machine without the link's name there.
  const worthTrying = all.filter(
    ({ address }) => !/^fe[89ab]/i.test(address) && !address.startsWith("169.254."),
  );
  const ranked = worthTrying.sort((a, b) => Number(a.internal) - Number(b.internal));
  const names = ranked.map(({ address, family }) => (family === "IPv6" ? `[${address}]` : address));
  return [...new Set(names)].slice(0, MOST).map((host) => `${host}:${port}`);
}
