// A wire between clients and a server that keeps a copy of every byte.
import { connect, createServer, type Server, type Socket } from "node:net";

export class RecordingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #up: Buffer[];
  readonly #down: Buffer[];

  private constructor(server: Server, sockets: Set<Socket>, up: Buffer[], down: Buffer[]) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    this.#server = server;
    this.#sockets = sockets;
    this.#up = up;
    this.#down = down;
  }

  static async before(port: number): Promise<RecordingProxy> {
    const sockets = new Set<Socket>();
    const [up, down]: [Buffer[], Buffer[]] = [[], []];
    const server = createServer((client) => {
      const upstream = connect({ port, host: "127.0.0.1" });
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => sockets.delete(socket));
      }
      client.on("data", (bytes: Buffer) => up.push(bytes));
      upstream.on("data", (bytes: Buffer) => down.push(bytes));
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new RecordingProxy(server, sockets, up, down);
  }

  /** What clients sent. */
  get up(): Buffer {
    return Buffer.concat(this.#up);
  }

  /** What the server sent. */
  get down(): Buffer {
    return Buffer.concat(this.#down);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
