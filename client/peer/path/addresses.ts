// The addresses of direct paths: those at which this device listens, and those of another device that may be dialled. The
// other device chooses the latter, so they are checked: a peer must not make this device connect to services of its own
// machine.
import { BlockList, isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { formatAddress, parseAddress, plainAddress } from "../../../rpc/network/address.ts";

/** The most addresses of one family. */
const MAX_OF_FAMILY = 4;

/** Addresses that only this machine or its network segment can use: loopback and link-local ones. */
const local = new BlockList();
local.addSubnet("127.0.0.0", 8, "ipv4");
local.addSubnet("169.254.0.0", 16, "ipv4");
local.addAddress("::1", "ipv6");
local.addSubnet("fe80::", 10, "ipv6");

/** Addresses that belong to no single device: unspecified, multicast and broadcast ones. */
const unusable = new BlockList();
unusable.addSubnet("0.0.0.0", 8, "ipv4");
unusable.addSubnet("224.0.0.0", 3, "ipv4");
unusable.addAddress("::", "ipv6");
unusable.addSubnet("ff00::", 8, "ipv6");

/**
 * The addresses of this device's network interfaces, at most four of each family: without link-local ones, which are
 * useless on another machine, and without loopback ones unless `isLocal`: the chat server runs on this machine, too.
 */
export function ownHosts(isLocal: boolean, interfaces = networkInterfaces()): string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ address, internal }) => (internal ? isLocal : !contains(local, address)));
  const ranked = usable.sort((a, b) => Number(a.internal) - Number(b.internal));
  return fewOfEachFamily([...new Set(ranked.map(({ address }) => address))]);
}

/**
 * The addresses of another device that are dialled, as HOST:PORT: at most four of each family, IP addresses only, and
 * without loopback and link-local ones unless `isLocal`: the chat server runs on this machine, too.
 */
export function addressesToDial(addresses: readonly string[], isLocal: boolean): string[] {
  const usable = addresses.flatMap((text) => {
    try {
      const { host: given, port } = parseAddress(text);
      const host = plainAddress(given);
      if (isIP(host) === 0 || host.includes("%") || contains(unusable, host)) return [];
      return contains(local, host) && !isLocal ? [] : [{ host, port }];
    } catch {
      // parseAddress throws for text that is not an address.
      return [];
    }
  });
  const hosts = new Set(fewOfEachFamily([...new Set(usable.map(({ host }) => host))]));
  // Each port of one host would be one more connection that the other device makes this one open.
  const isFirst = (host: string, at: number): boolean => usable.findIndex((one) => one.host === host) === at;
  return usable.filter(({ host }, at) => hosts.has(host) && isFirst(host, at)).map(formatAddress);
}

function fewOfEachFamily(hosts: readonly string[]): string[] {
  const few = (family: readonly string[]): string[] => family.slice(0, MAX_OF_FAMILY);
  const kept = new Set([...few(hosts.filter((host) => !isIPv6(host))), ...few(hosts.filter(isIPv6))]);
  return hosts.filter((host) => kept.has(host));
}

function contains(list: BlockList, host: string): boolean {
  return list.check(host, isIPv6(host) ? "ipv6" : "ipv4");
}
