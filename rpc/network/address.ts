// Parses HOST:PORT, with IPv6 addresses in brackets, and the peer addresses of grpc-js.

export interface Address {
  /** A name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** @throws Error if the text is not HOST:PORT */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error(
      `"${text}" is not an address. It must be HOST:PORT, such as 127.0.0.1:12000 or [::1]:12000.`,
    );
  }
  return { host, port };
}

/** The host of a peer address of grpc-js, "1.2.3.4:5" or "[::1]:5", without port and brackets. */
export function peerHost(peer: string): string {
  return plainAddress(peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

/** The IPv4 address of an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2); other addresses are not changed. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
