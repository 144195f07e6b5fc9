// Counts and limits the connections of callers. Strangers can open connections, but only an expected caller proves a key, so
// a connection that has not proved one gives way: the newest takes the place of the oldest.
import type { Socket } from "node:net";
import { plainAddress } from "../network/address.ts";

export interface CallerConnectionLimits {
  /** The most connections in their handshake, and the most of them from one address. */
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
}

/** What names a connection: the addresses of its two ends. */
type Ends = Pick<Socket, "localAddress" | "localPort" | "remoteAddress" | "remotePort">;

interface Handshaking {
  readonly socket: Socket;
  readonly key: string;
  readonly address: string;
}

export class CallerConnections {
  readonly #limits: CallerConnectionLimits;
  readonly #all = new Set<Socket>();
  /** In the order in which they were opened, by their ends. */
  readonly #handshaking = new Map<string, Handshaking>();
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(limits: CallerConnectionLimits) {
    this.#limits = limits;
  }

  /** Counts a connection until it closes. If there are too many, closes the oldest one that has not proved a key. */
  admit(socket: Socket): void {
    // TLS and HTTP/2 listen for their own errors. Any other error can be ignored, because "close" follows.
    socket.on("error", () => {});
    const address = plainAddress(socket.remoteAddress ?? "");
    const key = keyOf(socket);
    const { handshakes, handshakesPerAddress } = this.#limits;
    const ofAddress = [...this.#handshaking.values()].filter((one) => one.address === address);
    const [oldest] = ofAddress.length >= handshakesPerAddress ? ofAddress : this.#handshaking.values();
    if (
      oldest !== undefined &&
      (ofAddress.length >= handshakesPerAddress || this.#handshaking.size >= handshakes)
    ) {
      this.#handshaking.delete(oldest.key);
      oldest.socket.destroy();
    }
    this.#all.add(socket);
    this.#handshaking.set(key, { socket, key, address });
    socket.once("close", () => {
      this.#all.delete(socket);
      if (this.#handshaking.get(key)?.socket === socket) this.#handshaking.delete(key);
      if (this.#all.size === 0) this.#empty?.resolve();
    });
  }

  /** The connection has proved a key: it no longer gives way to others. `socket` is the TLS socket around it. */
  proved(socket: Ends): void {
    this.#handshaking.delete(keyOf(socket));
  }

  cutAll(): void {
    for (const socket of this.#all) socket.destroy();
  }

  async whenEmpty(): Promise<void> {
    if (this.#all.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }
}

function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Ends): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
