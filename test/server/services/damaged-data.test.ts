// A damaged part of the data fails what needs it, with a reason of its own, and nothing else.

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { credentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HealthClient, HealthCheckResponse_ServingStatus as Serving } from "../../../gen/health/v1/health.ts";
import { GapKind } from "../../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { openAccounts } from "../../../server/store/engines.ts";
import { reasonOf, type TestClient, type TestStream, textOf } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";

const ENTRIES = 200;
const PAGE = 4096;

/** The client message ids of the messages to bob. */
let ids: bigint[];
let server: TestServer;
let ada: TestClient;
let cyd: TestClient;

beforeEach(async () => {
  ids = [];
  server = await TestServer.start({ users: ["ada", "bob", "dan", "cyd"] });
  ada = await server.logIn("ada");
  cyd = await server.logIn("cyd");
  for (let at = 1; at <= ENTRIES; at += 1) ids.push((await ada.send("bob", toBob(at))).clientMessageId);
  // These are between the two conversations in the file.
  for (let at = 1; at <= 30; at += 1) await ada.send("dan", "x".repeat(300));
  await ada.send("cyd", "to cyd");
  // A start moves the log into the database, and checks the file. The damage comes after that.
  await server.stop();
  await server.start();
});
afterEach(() => server[Symbol.asyncDispose]());

function toBob(at: number): string {
  return `to bob ${at}. ${"x".repeat(300)}`;
}

/** Overwrites the page of the database that contains the text. */
function damage(text: string): void {
  const bytes = readFileSync(server.databaseFile);
  const at = bytes.indexOf(text);
  expect(at).toBeGreaterThan(0);
  const descriptor = openSync(server.databaseFile, "r+");
  writeSync(descriptor, Buffer.alloc(PAGE, 0xff), 0, PAGE, Math.floor(at / PAGE) * PAGE);
  closeSync(descriptor);
}

function errors(): string[] {
  return server.logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);
}

test("a stream names the damaged entries, sends all others and stays open", async () => {
  damage("to bob 100. ");
  using stream = ada.connect();
  await stream.caughtUp();
  const before = stream.all("gap");
  expect(before).toEqual([]);
  using resumed = ada.connect({ cursors: [{ conversationId: conversationOf(stream), seq: 0n }] });
  await resumed.caughtUp();
  const gaps = resumed.all("gap");
  expect(gaps.length).toBeGreaterThan(0);
  const missing = gaps.flatMap(({ fromSeq, toSeq, kind }) => {
    expect(kind).toBe(GapKind.GONE);
    return Array.from({ length: Number(toSeq - fromSeq) + 1 }, (_, index) => Number(fromSeq) + index);
  });
  expect(missing).toContain(100);
  expect(missing.length).toBeLessThan(20);
  const entries = resumed.all("entryAppended").map(({ entry }) => Number(entry?.seq));
  expect([...missing, ...entries.filter((_, index) => index < ENTRIES - missing.length)].length).toBe(
    ENTRIES,
  );
  expect(resumed.all("entryAppended").map(textOf)).toContain("to cyd");
  await cyd.send("ada", "still here");
  expect(await resumed.nextText()).toBe("still here");
  expect(await ada.textsOf({ $case: "conversationId", value: conversationOf(stream) })).toHaveLength(ENTRIES);
});

function conversationOf(stream: TestStream): string {
  return stream.all("entryAppended")[0]?.entry?.conversationId ?? "";
}

test("it is logged with the file and what was read, once, and shown by the health service", async () => {
  using health = new Closing(new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure()));
  expect(await health.check("parley.data")).toBe(Serving.SERVING);
  damage("to bob 100. ");
  for (let round = 0; round < 3; round += 1) await ada.textsWith("bob");
  const lines = errors();
  expect(lines.length).toBeGreaterThan(0);
  expect(new Set(lines).size).toBe(lines.length);
  for (const line of lines) expect(line).toMatch(/parley\.db is damaged: log\.\w+\(.*\) failed/);
  expect(await health.check("parley.data")).toBe(Serving.NOT_SERVING);
  expect(await health.check("")).toBe(Serving.SERVING);
});

test("a send that needs a damaged page is refused, and others of the same commit are stored", async () => {
  damage("to bob 100. ");
  // The change of another process makes the writer read the file again.
  await using tool = await openAccounts(pathToFileURL(server.databaseFile));
  await tool.accounts.setAdministrator("ada", true);
  using stream = ada.connect({ features: [] });
  await stream.next("welcome");
  // A repeated send is compared with the entry that the first one stored.
  const repeated = stream.send("bob", toBob(100), ids[99]);
  const toCyd = stream.send("cyd", "hello cyd");
  const refused = await stream.next("refused");

  expect(refused).toMatchObject({
    clientMessageId: repeated,
    reason: Reason.DATA_DAMAGED,
    retryDelay: undefined,
  });
  await expect.poll(() => stream.all("ack").map(({ clientMessageId }) => clientMessageId)).toContain(toCyd);
  expect(await reasonOf(ada.send("bob", toBob(100), ids[99]))).toBe("DATA_DAMAGED");
  expect(await reasonOf(ada.send("bob", "again"))).toBe("");
  expect(await reasonOf(ada.send("cyd", "and again"))).toBe("");
  expect(await cyd.textsWith("ada")).toEqual(["to cyd", "hello cyd", "and again"]);
});

class Closing implements Disposable {
  readonly #client: HealthClient;

  constructor(client: HealthClient) {
    this.#client = client;
  }

  check(service: string): Promise<Serving> {
    return new Promise((resolve, reject) => {
      this.#client.check({ service }, (error, response) =>
        error ? reject(error) : resolve(response.status),
      );
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
