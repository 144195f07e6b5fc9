// HOST:PORT as people write it, with IPv6 in brackets.

export interface Address {
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** @throws Error where it is no HOST:PORT */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error(
      `"${text}" is no address: it has to be HOST:PORT, such as 127.0.0.1:12000 or [::1]:12000.`,
    );
  }
  return { host, port };
}

/** The host of a caller as grpc-js gives it, "1.2.3.4:5" or "[::1]:5": without port and brackets. */
export function peerHost(peer: string): string {
  return plainAddress(peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

/** An IPv4 address as such where a socket for both kinds gives it as an IPv6 one (RFC 4291, section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
