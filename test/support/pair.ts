// Two nodes in one process, over one store, each with its own follower, lease and end of the bus.
import type { Store } from "../../server/store/store.ts";
import type { TestClient } from "./client.ts";
import { TestServer, type TestServerOptions } from "./server.ts";
import { SharedBus } from "./shared-bus.ts";
import { storeHandle } from "./store-handle.ts";

export interface Pair extends AsyncDisposable {
  readonly one: TestServer;
  readonly other: TestServer;
}

export interface PairOptions extends Omit<TestServerOptions, "bus" | "nodeId" | "openStore" | "wrapStore"> {
  /** By default one that delivers everything at once. */
  readonly bus?: SharedBus;
}

/** Starts two nodes. The first one creates the users. */
export async function startPair(options: PairOptions = {}): Promise<Pair> {
  const first = await startFirst(options);
  const other = await first.startOther();
  return {
    one: first.one,
    other,
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await first.one[Symbol.asyncDispose]();
    },
  };
}

/** Starts the first node, and lets the caller start the other one later. Dispose of the other one first. */
export async function startFirst({ bus = new SharedBus(), ...options }: PairOptions = {}): Promise<{
  readonly one: TestServer;
  startOther(): Promise<TestServer>;
}> {
  let store: Store | undefined;
  const one = await TestServer.start({
    ...options,
    nodeId: "one",
    bus: bus.end(),
    wrapStore: (opened) => {
      store = opened;
      return storeHandle(opened, { close: true });
    },
  });
  return {
    one,
    startOther: () =>
      TestServer.start({
        ...options,
        users: [],
        nodeId: "other",
        bus: bus.end(),
        openStore: () => {
          if (store === undefined) throw new Error("the first node has no store");
          return storeHandle(store, { close: false });
        },
      }),
  };
}

/** A client of the same session on the other node. */
export function sameSession(client: TestClient, node: TestServer): TestClient {
  const other = node.anonymous();
  other.grant = client.grant;
  return other;
}
