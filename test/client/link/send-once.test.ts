// A send by calls alone: one outcome of four, told apart for sure.
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { sendOnce } from "../../../client/link/sending/send-once.ts";
import { Account } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import type { Ack } from "../../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { FakeServer } from "./fake-server.ts";
import { toYoda } from "./fixture.ts";

const message = { clientMessageId: 7n, target: toYoda, text: "hello" };
const ack: Ack = {
  clientMessageId: 7n,
  conversationId: "c2",
  seq: 1n,
  sendTime: undefined,
  repeatedSend: false,
  withheld: false,
};

async function client(server: FakeServer) {
  const endpoint = new Endpoint({ address: server.address, trust: { kind: "plaintext" } });
  return {
    account: new Account(endpoint, "token"),
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}

function refused(reason: string, code: status, retryDelayMs?: number): RpcError {
  return new RpcError({
    code,
    reason,
    message: reason,
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  });
}

test("stored", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = async () => ack;
  expect(await sendOnce(caller.account, message)).toEqual(ack);
});

test("refused: at once, and surely not stored", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = () => Promise.reject(refused("USER_NOT_FOUND", status.NOT_FOUND));
  await expect(sendOnce(caller.account, message)).rejects.toMatchObject({
    name: "RpcError",
    reason: "USER_NOT_FOUND",
  });
});

test("longer than any server takes: refused here, and surely not stored", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = async () => ack;
  const text = "x".repeat(300_000);
  await expect(sendOnce(caller.account, { ...message, text })).rejects.toMatchObject({
    name: "RpcError",
    reason: "CONTENT_TOO_LARGE",
  });
});

test("no connection: surely not sent", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.relay.refusing = true;
  await expect(sendOnce(caller.account, { ...message, waitMs: 200 })).rejects.toBeInstanceOf(ConnectError);
  expect(server.relay.connections).toBe(0);
});

test("an answer that was lost: sent again under the same id", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  const ids: bigint[] = [];
  server.onSend = async ({ clientMessageId }) => {
    ids.push(clientMessageId);
    if (ids.length === 1) {
      server.relay.cut();
      return new Promise(() => undefined);
    }
    return { ...ack, repeatedSend: true };
  };
  expect(await sendOnce(caller.account, message)).toMatchObject({ repeatedSend: true });
  expect(ids).toEqual([7n, 7n]);
});

test("an answer that stays lost: the outcome is unknown, and the id is named", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = () => {
    server.relay.refusing = true;
    server.relay.cut();
    return new Promise(() => undefined);
  };
  await expect(sendOnce(caller.account, { ...message, waitMs: 300 })).rejects.toMatchObject({
    name: "OutcomeUnknownError",
    clientMessageId: 7n,
  });
});

test("a session that ends meanwhile says nothing about what was sent before", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  let calls = 0;
  server.onSend = () => {
    if (++calls === 1) return Promise.reject(refused("STORE_UNAVAILABLE", status.UNAVAILABLE, 1));
    return Promise.reject(refused("TOKEN_INVALID", status.UNAUTHENTICATED));
  };
  await expect(sendOnce(caller.account, message)).rejects.toMatchObject({ name: "OutcomeUnknownError" });
  calls = 1;
  await expect(sendOnce(caller.account, message)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});

test("a server that asks for time gets it, as long as there is some", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  let calls = 0;
  server.onSend = () =>
    ++calls === 1
      ? Promise.reject(refused("RATE_LIMITED", status.RESOURCE_EXHAUSTED, 20))
      : Promise.resolve(ack);
  expect(await sendOnce(caller.account, message)).toEqual(ack);
  calls = 0;
  server.onSend = () => Promise.reject(refused("RATE_LIMITED", status.RESOURCE_EXHAUSTED, 60_000));
  await expect(sendOnce(caller.account, message)).rejects.toMatchObject({ reason: "RATE_LIMITED" });
});

test("a server that does not answer in time: unknown, within the time", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  const before = performance.now();
  await expect(sendOnce(caller.account, { ...message, waitMs: 150 })).rejects.toMatchObject({
    name: "OutcomeUnknownError",
  });
  expect(performance.now() - before).toBeLessThan(2_000);
});

test("given up by its caller", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  const stop = new AbortController();
  server.onSend = () => {
    stop.abort();
    return new Promise(() => undefined);
  };
  await expect(sendOnce(caller.account, { ...message, signal: stop.signal })).rejects.toMatchObject({
    name: "OutcomeUnknownError",
  });
});
