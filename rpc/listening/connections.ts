// The open connections of a listener: how many there may be, in all and from one address, and their end.

import { isIPv6, type Socket } from "node:net";
import { plainAddress } from "../network/address.ts";

export interface ConnectionLimits {
  /** Open connections in all. */
  readonly connections: number;
  /** Open connections from one address (IPv6: from one /64). Loopback is exempt: a proxy on this machine is many. */
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

  /** Takes a connection on, until it closes; false, and the connection is closed, where there are too many. */
  admit(socket: Socket): boolean {
    // TLS and HTTP/2 listen for errors on their own; whatever they do not, "close" follows.
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

  /** Ends one connection at once, by the address and port of its far end. */
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

/** What counts as one address; "" for loopback. */
function originOf(address: string): string {
  const plain = plainAddress(address);
  if (plain === "::1" || plain.startsWith("127.")) return "";
  if (!isIPv6(plain)) return plain;
  // The first four groups; "::" stands for as many groups of zero as are missing.
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  return groups.slice(0, 4).join(":");
}
