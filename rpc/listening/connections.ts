// Counts, limits and ends the open connections of a listener.

import { isIPv6, type Socket } from "node:net";
import { plainAddress } from "../network/address.ts";

export interface ConnectionLimits {
  /** The most open connections in all. */
  readonly connections: number;
  /**
   * The most open connections from one address (IPv6: from one /64). Loopback is exempt because of proxies on this
   * machine.
   */
  readonly connectionsPerAddress: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#sockets.size;
  }

  /** Counts a connection until it closes. If there are too many, closes it and returns false. */
  admit(socket: Socket): boolean {
    // TLS and HTTP/2 listen for their own errors. Any other error can be ignored, because "close" follows.
    socket.on("error", () => {});
    const { remoteAddress } = socket;
    const origin = originOf(remoteAddress ?? "");
    const count = this.#perAddress.get(origin) ?? 0;
    const isFull = this.#sockets.size >= this.#limits.connections;
    if (
      remoteAddress === undefined ||
      isFull ||
      (origin !== "" && count >= this.#limits.connectionsPerAddress)
    ) {
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(origin, count + 1);
    socket.once("close", () => this.#release(socket, origin));
    return true;
  }

  /** Destroys the connection to the peer with this address and port. */
  cut(peer: string): void {
    for (const socket of this.#sockets) {
      if (`${socket.remoteAddress}:${socket.remotePort}` === peer) socket.destroy();
    }
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async whenEmpty(): Promise<void> {
    if (this.#sockets.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  #release(socket: Socket, origin: string): void {
    this.#sockets.delete(socket);
    const count = this.#perAddress.get(origin) ?? 1;
    if (count > 1) this.#perAddress.set(origin, count - 1);
    else this.#perAddress.delete(origin);
    if (this.#sockets.size > 0) return;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}

/** The part of an address by which connections are counted; "" for loopback. */
function originOf(address: string): string {
  const plain = plainAddress(address);
  if (plain === "::1" || plain.startsWith("127.")) return "";
  if (!isIPv6(plain)) return plain;
  // The first four groups; "::" stands for the missing groups, which are zero.
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  return groups.slice(0, 4).join(":");
}
