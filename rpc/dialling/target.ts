// The target of grpc-js for an address. Two kinds of addresses need a resolver of their own, which looks nothing up: IPv6
// addresses with a zone, such as fe80::1%eth0, and localhost.
import { experimental } from "@grpc/grpc-js";
import { type Address, formatAddress, parseAddress } from "../network/address.ts";

const scheme = "parley-known";

/**
 * Resolves to the address itself, and localhost to the loopback addresses (RFC 6761, section 6.3). The resolvers of
 * grpc-js use an address with its zone as the authority of the connection's URL too, and a URL cannot contain a zone
 * (WHATWG URL, section 3.5). They look localhost up, and a hosts file can name another machine.
 */
class KnownResolver implements experimental.Resolver {
  readonly #addresses: readonly Address[];
  readonly #listener: experimental.ResolverListener;
  #hasResolved = false;

  constructor({ path }: experimental.GrpcUri, listener: experimental.ResolverListener) {
    const { host, port } = parseAddress(path);
    const hosts = isLocalhost(host) ? ["127.0.0.1", "::1"] : [host];
    this.#addresses = hosts.map((each) => ({ host: each, port }));
    this.#listener = listener;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    const { host, port } = parseAddress(path);
    return formatAddress({ host: host.replace(/%.*$/, ""), port });
  }

  updateResolution(): void {
    // The result is always the same. grpc-js asks again at once after each failure, so answers would follow each other
    // without an end.
    if (this.#hasResolved) return;
    this.#hasResolved = true;
    // grpc-js requires that the listener is never called synchronously.
    process.nextTick(() => {
      const endpoints = experimental.statusOrFromValue(
        this.#addresses.map((address) => ({ addresses: [address] })),
      );
      if (this.#hasResolved) this.#listener(endpoints, {}, null, "");
    });
  }

  destroy(): void {
    this.#hasResolved = false;
  }
}

experimental.registerResolver(scheme, KnownResolver);

export function targetOf(address: Address): string {
  const isKnown = address.host.includes("%") || isLocalhost(address.host);
  return `${isKnown ? scheme : "dns"}:${formatAddress(address)}`;
}

function isLocalhost(host: string): boolean {
  return host.toLowerCase() === "localhost";
}
