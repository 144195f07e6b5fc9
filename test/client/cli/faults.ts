// Faults between client and server: a TCP proxy that can lose answers, and a store that reports each commit.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AppendResult, Store } from "../../../server/store/store.ts";

/** The fault of a connection after an append is committed and before its answer is sent. */
export type Fault = "none" | "swallow" | "cut";

/** Forwards bytes to a server, and can drop its answers or cut all connections. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #swallows = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: () => number): Promise<FaultyProxy> {
    const server = createServer();
    const proxy = new FaultyProxy(server);
    server.on("connection", (near) => proxy.#forward(near, connect(target(), "127.0.0.1")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  fault(fault: Fault): void {
    this.#swallows = fault === "swallow";
    if (fault === "cut") for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #forward(near: Socket, far: Socket): void {
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => {
      if (!this.#swallows) near.write(bytes);
    });
  }
}

/** A store that calls back after each append is committed, and before its result is returned. */
export function afterAppend(committed: () => void): (store: Store) => Store {
  return (store) => {
    const append = store.log.append.bind(store.log);
    store.log.append = async (entry): Promise<AppendResult> => {
      const result = await append(entry);
      committed();
      return result;
    };
    return store;
  };
}
