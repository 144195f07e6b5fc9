// sendOnce ends in one of four outcomes: stored, refused, not sent, or unknown.
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

test("stored: resolves to the ack", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = async () => ack;
  expect(await sendOnce(caller.account, message)).toEqual(ack);
});

test("an id that was used before: sends under another id, but only once, and not after a lost answer", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  const renumber = (): bigint => 77n;
  server.onSend = async ({ clientMessageId }) => ({
    ...ack,
    clientMessageId,
    repeatedSend: clientMessageId !== 77n,
  });
  expect(await sendOnce(caller.account, message)).toMatchObject({ repeatedSend: true });
  expect(await sendOnce(caller.account, { ...message, renumber })).toMatchObject({ clientMessageId: 77n });
  server.onSend = () => Promise.reject(refused("CLIENT_MESSAGE_ID_REUSED", status.ALREADY_EXISTS));
  await expect(sendOnce(caller.account, { ...message, renumber })).rejects.toMatchObject({
    reason: "CLIENT_MESSAGE_ID_REUSED",
  });
  let attempts = 0;
  server.onSend = async ({ clientMessageId }) => {
    if (++attempts === 1) throw refused("STORE_UNAVAILABLE", status.UNAVAILABLE, 1);
    return { ...ack, clientMessageId, repeatedSend: true };
  };
  expect(await sendOnce(caller.account, { ...message, renumber })).toMatchObject({
    clientMessageId: message.clientMessageId,
  });
});

test("refused: rejects immediately with the refusal", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = () => Promise.reject(refused("USER_NOT_FOUND", status.NOT_FOUND));
  await expect(sendOnce(caller.account, message)).rejects.toMatchObject({
    name: "RpcError",
    reason: "USER_NOT_FOUND",
  });
});

test("a text that is too long for every server is refused without a call", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = async () => ack;
  const text = "x".repeat(300_000);
  await expect(sendOnce(caller.account, { ...message, text })).rejects.toMatchObject({
    name: "RpcError",
    reason: "CONTENT_TOO_LARGE",
  });
});

test("no connection: rejects with a ConnectError, and nothing was sent", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.relay.refusing = true;
  await expect(sendOnce(caller.account, { ...message, waitMs: 200 })).rejects.toBeInstanceOf(ConnectError);
  expect(server.relay.connections).toBe(0);
});

test("after a lost answer the message is sent again under the same id", async () => {
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

test("when every answer is lost, the outcome is unknown and the error has the id", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  server.onSend = () => {
    server.relay.refusing = true;
    server.relay.cut();
    return new Promise(() => undefined);
  };
  await expect(sendOnce(caller.account, { ...message, waitMs: 1_500 })).rejects.toMatchObject({
    name: "OutcomeUnknownError",
    clientMessageId: 7n,
  });
});

test("the end of the session after an unclear attempt leaves the outcome unknown", async () => {
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

test("the retry delay of the server is obeyed within the time to wait", async () => {
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

test("when the server does not answer in time, the outcome is unknown", async () => {
  await using server = await FakeServer.start();
  await using caller = await client(server);
  const before = performance.now();
  await expect(sendOnce(caller.account, { ...message, waitMs: 1_000 })).rejects.toMatchObject({
    name: "OutcomeUnknownError",
  });
  expect(performance.now() - before).toBeLessThan(20_000);
});

test("when the caller cancels, the outcome is unknown", async () => {
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
