// A wire between a client and the server that cuts what the client says into single bytes, gathers it into one packet,
// or lets it come from another address of this machine.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

export class Wire implements Disposable {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: Buffer[] = [];
  /** How many there have been. */
  connections = 0;
  #mode: "pass" | "bytes" | "hold" = "pass";
  #forward: ((bytes: Buffer) => void) | undefined;

  private constructor(listener: Server) {
    this.#listener = listener;
  }

  /** @param from the address that the server sees; 127.0.0.1 unless said */
  static async to(port: number, from = "127.0.0.1"): Promise<Wire> {
    const wire = new Wire(createServer({ noDelay: true }));
    wire.#listener.on("connection", (near: Socket) => wire.#join(near, port, from));
    wire.#listener.listen(0, "127.0.0.1");
    await once(wire.#listener, "listening");
    return wire;
  }

  /** Where a client connects. */
  get port(): number {
    const address = this.#listener.address();
    if (address === null || typeof address === "string") throw new Error("the wire is cut");
    return address.port;
  }

  get heldBytes(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0);
  }

  /** From now on each byte goes on its own. */
  cutIntoBytes(): void {
    this.#mode = "bytes";
  }

  /** From now on nothing goes on. */
  hold(): void {
    this.#mode = "hold";
  }

  /** What was held goes on at once, and what follows as it comes. */
  release(): void {
    this.#mode = "pass";
    this.#forward?.(Buffer.concat(this.#held.splice(0)));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket, port: number, localAddress: string): void {
    this.connections++;
    const far = connect({ host: "127.0.0.1", port, localAddress, noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    far.pipe(near);
    this.#forward = (bytes) => far.write(bytes);
    let written = Promise.resolve();
    near.on("data", (bytes: Buffer) => {
      if (this.#mode === "hold") this.#held.push(bytes);
      else if (this.#mode === "pass") far.write(bytes);
      else written = written.then(() => writeByBytes(far, bytes));
    });
  }
}

/** Leaves the far end a turn to read after each byte. */
async function writeByBytes(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at++) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(at, at + 1), () => resolve()));
    await turn();
  }
}
