// An unexpected failure in the server means the same for every kind of call: it is logged, and the client tries again later.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { fromServiceError, type RpcError } from "../../../rpc/status/status.ts";
import type { Store } from "../../../server/store/store.ts";
import type { TestClient } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";

type Area = "accounts" | "blocks" | "identities" | "log" | "presence";

/** The operations that fail, as "area.name", each with an error that nothing expects. */
const broken = new Set<string>();

function breakable(store: Store): Store {
  for (const area of ["accounts", "blocks", "identities", "log", "presence"] satisfies Area[]) {
    const operations = store[area] as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const [name, operation] of Object.entries(operations)) {
      operations[name] = (...args) => {
        if (broken.has(`${area}.${name}`)) return Promise.reject(new TypeError(`${area}.${name} is broken`));
        return operation(...args);
      };
    }
  }
  return store;
}

let server: TestServer;
let ada: TestClient;
let bob: TestClient;

beforeAll(async () => {
  server = await TestServer.start({ users: ["ada", "bob", "cyd"], wrapStore: breakable });
  ada = await server.logIn("ada");
  bob = await server.logIn("bob");
  await bob.send("ada", "hello");
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  broken.clear();
  server.logged.length = 0;
});

function expectRetryable(error: RpcError | undefined): void {
  expect(error).toMatchObject({ reason: "STORE_UNAVAILABLE" });
  expect(error?.retryDelayMs).toBeGreaterThan(0);
  expect(server.logged.filter(({ level, msg }) => level === 50 && msg === "call failed")).not.toEqual([]);
}

async function refusalOf(call: Promise<unknown>): Promise<RpcError> {
  return call.then(
    () => expect.unreachable("the call succeeded"),
    (error: unknown) => error as RpcError,
  );
}

test.each(["log.conversations", "log.entries", "log.visibleRanges", "presence.list", "presence.open"])(
  "a stream that opens while %s fails",
  async (operation) => {
    broken.add(operation);
    const cyd = await server.logIn("cyd");
    await bob.send("cyd", "hello");
    using connected = cyd.connect();
    expectRetryable(await connected.ended);
    using followed = cyd.follow();
    expectRetryable(await followed.ended);
    broken.clear();
    using again = cyd.connect();
    await again.caughtUp();
  },
);

test("a command on a stream, and the stream goes on", async () => {
  using stream = ada.connect();
  await stream.caughtUp();
  broken.add("log.append");
  stream.send("bob", "x");
  const refused = await stream.next("refused");
  expect(refused.reason).toBe(Reason.STORE_UNAVAILABLE);
  expect(refused.retryDelay).toBeDefined();
  broken.clear();
  stream.send("bob", "y");
  await stream.next("ack");
});

test("a unary call", async () => {
  broken.add("log.append").add("blocks.listBlocks");
  expectRetryable(await refusalOf(ada.send("bob", "x")));
  const { listBlocks } = ada.blocks;
  expectRetryable(await refusalOf(ada.unary(ada.blocks, listBlocks, { pageSize: 0, pageToken: "" })));
});

test("a call without a token", async () => {
  broken.add("accounts.userByName");
  expectRetryable(await refusalOf(server.logIn("cyd")));
});

test("an introduction and a relay", async () => {
  broken.add("identities.peerDevice").add("identities.identity").add("blocks.isBetween");
  const introduced = ada.introduction.introduce(
    { username: "bob", direct: false, processId: "" },
    ada.metadata,
  );
  expectRetryable(await endOf(introduced));
  const relayed = ada.introduction.relay(ada.metadata);
  relayed.write({ kind: { $case: "opening", value: { introductionId: "x" } } });
  expectRetryable(await endOf(relayed));
  using stream = ada.connect({ features: [Feature.INTRODUCTIONS] });
  expectRetryable(await stream.ended);
});

function endOf(call: {
  on: (event: "error" | "data", listener: (value: Error) => void) => unknown;
}): Promise<RpcError> {
  return new Promise((resolve) => {
    call.on("data", () => undefined);
    call.on("error", (error) => resolve(fromServiceError(error)));
  });
}
