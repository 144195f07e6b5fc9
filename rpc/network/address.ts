// Parses and formats HOST:PORT, with IPv6 addresses in brackets, and parses the peer addresses of grpc-js.
import { isIPv4, isIPv6 } from "node:net";

export interface Address {
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface AddressForm {
  /** The port of a text without one; if undefined, the port is required. */
  readonly defaultPort?: number;
  /** The lowest port; default 1. Port 0, "any free port", is only for listening. */
  readonly leastPort?: 0 | 1;
}

/**
 * Parses HOST:PORT. An IPv6 address is in brackets, and can have a zone (RFC 4007): [fe80::1%eth0]:12000. With a default
 * port, an IPv6 address without a port needs no brackets.
 * @throws Error if the text is not an address, or could be read in two ways; the message is a sentence for the user
 */
export function parseAddress(text: string, { defaultPort, leastPort = 1 }: AddressForm = {}): Address {
  const bare = isIPv6(text) && !/%.*:/.test(text) ? text : undefined;
  // "::1:80" is an IPv6 address, and also the address ::1 with a port.
  const [, before = "", after = ""] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (isIPv6(before)) {
    throw new Error(
      bare === undefined
        ? `"${text}" has an IPv6 address without brackets. Write [${before}]:${after}.`
        : `"${text}" is ambiguous. Write [${before}]:${after}, or [${bare}]:${defaultPort ?? "PORT"} for the whole address.`,
    );
  }
  if (bare !== undefined && defaultPort !== undefined) return { host: bare, port: defaultPort };
  const [, bracketed, plain, portText = defaultPort] =
    /^(?:\[([^\]]*)\]|([^:[\]/\s#]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || portText === undefined) {
    throw new Error(`"${text}" is not an address. Write HOST:PORT, such as 127.0.0.1:12000 or [::1]:12000.`);
  }
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    throw new Error(`"${text}" is not an address: "${bracketed}" in brackets is not an IPv6 address.`);
  }
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) {
    throw new Error(`"${text}" is not an address: "${host}" is not an IPv4 address.`);
  }
  const port = Number(portText);
  if (port < leastPort || port > 65_535) {
    throw new Error(`"${text}" is not an address: a port is ${leastPort} to 65535.`);
  }
  return { host, port };
}

/** Formats HOST:PORT, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The host of a peer address of grpc-js, "1.2.3.4:5" or "[::1]:5", without port and brackets. */
export function peerHost(peer: string): string {
  return plainAddress(peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

/** The IPv4 address of an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2); other addresses are not changed. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/**
 * The part of an address that one subscriber usually has: an IPv4 address, or the /64 of an IPv6 address. Limits for
 * each address apply to it. Other texts are not changed.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(":")) return plain;
  const [before = "", after] = plain.replace(/%.*$/, "").split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  // An IPv4 address at the end stands for two groups.
  const written = head.length + tail.length + (plain.includes(".") ? 1 : 0);
  const zeros = after === undefined ? 0 : Math.max(0, 8 - written);
  const groups = [...head, ...Array.from({ length: zeros }, () => "0"), ...tail];
  const prefix = groups.slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ""));
  return `${prefix.join(":")}::/64`;
}
