// A TCP proxy between a client and the server: it can forward the client's bytes one by one, hold them back and send them
// together, connect from another local address, or cut the connection.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

export class TcpProxy implements Disposable {
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: Buffer[] = [];
  /** The number of connections that clients have opened. */
  connections = 0;
  #mode: "forward" | "bytes" | "hold" = "forward";
  #forward: ((bytes: Buffer) => void) | undefined;

  private constructor(listener: Server) {
    this.#listener = listener;
  }

  /** @param from the address from which the proxy connects to the server; the server sees it as the client's */
  static async start(port: number, from = "127.0.0.1"): Promise<TcpProxy> {
    const proxy = new TcpProxy(createServer({ noDelay: true }));
    proxy.#listener.on("connection", (client: Socket) => proxy.#join(client, port, from));
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    return proxy;
  }

  /** The port on which the proxy listens. */
  get port(): number {
    const address = this.#listener.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return address.port;
  }

  get heldBytes(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0);
  }

  /** Forwards each byte of the client in a write of its own from now on. */
  forwardByteByByte(): void {
    this.#mode = "bytes";
  }

  /** Holds back what the client sends from now on. */
  hold(): void {
    this.#mode = "hold";
  }

  /** Forwards the bytes that were held in one write, and later bytes as they arrive. */
  release(): void {
    this.#mode = "forward";
    this.#forward?.(Buffer.concat(this.#held.splice(0)));
  }

  /** Closes all connections. The client's streams end; to close only the client's channel would leave them open. */
  [Symbol.dispose](): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, port: number, localAddress: string): void {
    this.connections++;
    const server = connect({ host: "127.0.0.1", port, localAddress, noDelay: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    server.pipe(client);
    this.#forward = (bytes) => server.write(bytes);
    let written = Promise.resolve();
    client.on("data", (bytes: Buffer) => {
      if (this.#mode === "hold") this.#held.push(bytes);
      else if (this.#mode === "forward") server.write(bytes);
      else written = written.then(() => writeByteByByte(server, bytes));
    });
  }
}

/** After each byte, lets the event loop turn, so that the server reads the byte alone. */
async function writeByteByByte(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at++) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(at, at + 1), () => resolve()));
    await nextTurn();
  }
}
