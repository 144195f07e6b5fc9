// Counts, limits and ends the open connections of a listener.
import type { Socket } from "node:net";
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import type { IncomingConnection } from "../calls/incoming-calls.ts";
import { RefusalPace } from "../calls/refusal-pace.ts";
import { Budget, type UnfinishedLimits } from "../calls/unfinished-requests.ts";
import { networkOf, plainAddress } from "../network/address.ts";
import { OverheadMeter, overheadLimits } from "./overhead.ts";

export interface ConnectionLimits extends Pick<UnfinishedLimits, "connectionBytes" | "addressBytes"> {
  /** The most open connections in all. */
  readonly connections: number;
  /**
   * The most open connections from one address (IPv6: from one /64). Loopback is exempt because of proxies on this
   * machine.
   */
  readonly connectionsPerAddress: number;
  /** The refusals of one connection that are sent at once; further ones are sent more slowly. An address has ten times as many. */
  readonly refusalsAtOnce: number;
}

/** An open connection. */
interface Connection extends IncomingConnection {
  readonly socket: Socket;
  readonly overhead: OverheadMeter;
}

type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

/** What is counted for one address. */
interface Address {
  connections: number;
  readonly unfinished: Budget;
  readonly refusals: RefusalPace;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  #sampling: Timer | undefined;
  /** By the addresses and ports of both ends. */
  readonly #open = new Map<string, Connection>();
  readonly #addresses = new Map<string, Address>();
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(limits: ConnectionLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Counts a connection until it closes. If there are too many, closes it and returns false. */
  admit(socket: Socket): boolean {
    // TLS and HTTP/2 listen for their own errors. Any other error can be ignored, because "close" follows.
    socket.on("error", () => {});
    const { remoteAddress } = socket;
    const origin = originOf(remoteAddress ?? "");
    const isFull = this.#open.size >= this.#limits.connections;
    const address = this.#addresses.get(origin) ?? this.#newAddress();
    if (
      remoteAddress === undefined ||
      isFull ||
      (origin !== "" && address.connections >= this.#limits.connectionsPerAddress)
    ) {
      socket.destroy();
      return false;
    }
    address.connections += 1;
    this.#addresses.set(origin, address);
    const own = new Budget(this.#limits.connectionBytes);
    const budgets = origin === "" ? [own] : [own, address.unfinished];
    const ends = endsOf(socket);
    const shared = origin === "" ? undefined : address.refusals;
    const refusals = RefusalPace.ofConnection(this.#limits.refusalsAtOnce, shared);
    this.#open.set(ends, { socket, budgets, deliveredBytes: 0, refusals, overhead: new OverheadMeter() });
    this.#sampling ??= this.#clock.every(overheadLimits.everyMs, () => this.#sample());
    socket.once("close", () => this.#release(ends, origin));
    return true;
  }

  /** The open connection with this socket, or with a TLS socket over it. */
  of(socket: Ends): IncomingConnection {
    // It is not among them if it was just lost, or if it is relayed. A relay bounds its bytes itself.
    return (
      this.#open.get(endsOf(socket)) ?? {
        budgets: [new Budget(this.#limits.connectionBytes)],
        deliveredBytes: 0,
        refusals: RefusalPace.ofConnection(this.#limits.refusalsAtOnce),
      }
    );
  }

  /** Destroys the connection to the peer with this address and port. */
  cut(peer: string): void {
    for (const { socket } of this.#open.values()) {
      if (`${socket.remoteAddress}:${socket.remotePort}` === peer) socket.destroy();
    }
  }

  cutAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  async whenEmpty(): Promise<void> {
    if (this.#open.size === 0) return;
    this.#empty ??= Promise.withResolvers();
    await this.#empty.promise;
  }

  /** Cuts the connections that send mostly overhead, and forgets addresses without connections. */
  #sample(): void {
    for (const [origin, address] of this.#addresses) this.#forgetIfIdle(origin, address);
    for (const { socket, overhead, deliveredBytes } of this.#open.values()) {
      const { bytesRead, bytesWritten } = socket;
      if (overhead.sample({ read: bytesRead, written: bytesWritten, delivered: deliveredBytes }))
        socket.destroy();
    }
  }

  /** An address without connections is kept while it is paced, so that it gains nothing by connecting again. */
  #forgetIfIdle(origin: string, { connections, refusals }: Address): void {
    if (connections === 0 && refusals.isFull(this.#clock.monotonic())) this.#addresses.delete(origin);
  }

  #newAddress(): Address {
    const { addressBytes, refusalsAtOnce } = this.#limits;
    return {
      connections: 0,
      unfinished: new Budget(addressBytes),
      refusals: RefusalPace.ofAddress(refusalsAtOnce),
    };
  }

  #release(ends: string, origin: string): void {
    this.#open.delete(ends);
    const address = this.#addresses.get(origin);
    if (address !== undefined) {
      address.connections -= 1;
      this.#forgetIfIdle(origin, address);
    }
    if (this.#open.size > 0) return;
    this.#sampling?.[Symbol.dispose]();
    this.#sampling = undefined;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** The part of an address by which connections are counted; "" for loopback. */
function originOf(address: string): string {
  const plain = plainAddress(address);
  return plain === "::1" || plain.startsWith("127.") ? "" : networkOf(plain);
}
