// A TCP proxy between clients and a server that keeps a copy of every byte.
import { connect, createServer, type Server, type Socket } from "node:net";

export class RecordingProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #fromClients: Buffer[];
  readonly #fromServer: Buffer[];

  private constructor(server: Server, sockets: Set<Socket>, fromClients: Buffer[], fromServer: Buffer[]) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    this.#server = server;
    this.#sockets = sockets;
    this.#fromClients = fromClients;
    this.#fromServer = fromServer;
  }

  static async start(port: number): Promise<RecordingProxy> {
    const sockets = new Set<Socket>();
    const [fromClients, fromServer]: [Buffer[], Buffer[]] = [[], []];
    const server = createServer((client) => {
      const upstream = connect({ port, host: "127.0.0.1" });
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on("error", () => undefined);
        socket.once("close", () => sockets.delete(socket));
      }
      client.on("data", (bytes: Buffer) => fromClients.push(bytes));
      upstream.on("data", (bytes: Buffer) => fromServer.push(bytes));
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new RecordingProxy(server, sockets, fromClients, fromServer);
  }

  /** All bytes that clients have sent. */
  get fromClients(): Buffer {
    return Buffer.concat(this.#fromClients);
  }

  /** All bytes that the server has sent. */
  get fromServer(): Buffer {
    return Buffer.concat(this.#fromServer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
