// The target of grpc-js for an address. IPv6 addresses with a zone, such as fe80::1%eth0, need a resolver of their own.
import { experimental } from "@grpc/grpc-js";
import { type Address, formatAddress, parseAddress } from "../network/address.ts";

const scheme = "parley-zoned";

/**
 * Resolves to the address itself. The resolvers of grpc-js use the address with its zone as the authority of the
 * connection's URL too, and a URL cannot contain a zone (WHATWG URL, section 3.5).
 */
class ZonedResolver implements experimental.Resolver {
  readonly #address: Address;
  readonly #listener: experimental.ResolverListener;
  #isDestroyed = false;

  constructor({ path }: experimental.GrpcUri, listener: experimental.ResolverListener) {
    this.#address = parseAddress(path);
    this.#listener = listener;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    const { host, port } = parseAddress(path);
    return formatAddress({ host: host.replace(/%.*$/, ""), port });
  }

  updateResolution(): void {
    this.#isDestroyed = false;
    // grpc-js requires that the listener is never called synchronously.
    process.nextTick(() => {
      const endpoints = experimental.statusOrFromValue([{ addresses: [this.#address] }]);
      if (!this.#isDestroyed) this.#listener(endpoints, {}, null, "");
    });
  }

  destroy(): void {
    this.#isDestroyed = true;
  }
}

experimental.registerResolver(scheme, ZonedResolver);

export function targetOf(address: Address): string {
  return `${address.host.includes("%") ? scheme : "dns"}:${formatAddress(address)}`;
}
