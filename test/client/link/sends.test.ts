// Sends are queued first, go in order, are repeated after a loss, and each has one outcome.
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { MemorySendQueue } from "../../../client/link/model/send-queue.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { entry, FakeServer, hans } from "./fake-server.ts";
import { open, seqs, toYoda } from "./fixture.ts";

test("a send resolves with its ack, and the ack takes the place of the entry", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const stream = await server.liveStream();
  await client.phase("live");
  const sending = client.link.send(toYoda, "hello");
  expect(await stream.sent()).toEqual({ text: "hello", id: sending.clientMessageId });
  stream.ack(sending.clientMessageId, 1);
  expect(await sending.done).toMatchObject({ conversationId: "c2", seq: 1n });
  stream.entries(2, 2);
  expect(await client.next("acked")).toMatchObject({
    clientMessageId: sending.clientMessageId,
    target: toYoda,
    content: { kind: "text", text: "hello" },
    seq: 1n,
    repeatedSend: false,
    entryShown: false,
  });
  expect(seqs(await client.entries(1))).toEqual([2]);
  await client.link.settled();
});

test("messages that were queued before the connection are sent in order, many in a frame", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const sendings = Array.from({ length: 600 }, (_, n) => client.link.send(toYoda, `m${n}`));
  const stream = await server.stream();
  await stream.hello();
  expect(stream.waiting).toBe(0);
  stream.welcome();
  for (let n = 0; n < 600; n++) {
    const { text, id } = await stream.sent();
    expect(text).toBe(`m${n}`);
    stream.ack(id, n + 1);
  }
  await Promise.all(sendings.map(({ done }) => done));
});

test("after a lost ack the message is sent again under its id, before newer ones, and has one outcome", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const first = await server.liveStream();
  await client.phase("live");
  const one = client.link.send(toYoda, "one");
  const two = client.link.send(toYoda, "two");
  await first.sent();
  await first.sent();
  first.ack(one.clientMessageId, 1);
  await one.done;
  server.relay.cut();
  await client.phase("waiting");
  const three = client.link.send(toYoda, "three");

  const second = await server.stream();
  await second.hello();
  second.welcome();
  expect(await second.sent()).toEqual({ text: "two", id: two.clientMessageId });
  expect(await second.sent()).toEqual({ text: "three", id: three.clientMessageId });
  // The server had stored it: the entry is in the backlog, and the ack is a repeated one.
  second.send(entry(2, { sender: hans, text: "two" }));
  second.ack(two.clientMessageId, 2, "c2", true);
  second.ack(three.clientMessageId, 3);
  second.caughtUp();
  expect(await client.next("entry")).toMatchObject({ seq: 2n, mine: true, clientMessageId: undefined });
  expect(await client.next("acked")).toMatchObject({ repeatedSend: true, entryShown: true });
  expect(await client.next("acked")).toMatchObject({
    clientMessageId: three.clientMessageId,
    entryShown: false,
  });
  await Promise.all([two.done, three.done]);
  server.relay.cut();
  const third = await server.stream();
  expect((await third.hello()).cursors).toEqual([{ conversationId: "c2", seq: 3n }]);
  third.welcome();
  third.caughtUp();
  await client.phase("live");
  expect(third.waiting).toBe(0);
});

test("when an ack comes before the backlog, the entry has the id of its send", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const stream = await server.stream();
  await stream.hello();
  stream.welcome();
  const sending = client.link.send(toYoda, "mine");
  await stream.sent();
  stream.entries(1, 1);
  stream.ack(sending.clientMessageId, 3);
  stream.entries(2, 2);
  stream.send(entry(3, { sender: hans, text: "mine" }));
  expect(await client.next("acked")).toMatchObject({ seq: 3n, entryShown: false });
  const entries = await client.entries(2);
  expect(entries.map(({ seq, clientMessageId }) => [seq, clientMessageId])).toEqual([
    [2n, undefined],
    [3n, sending.clientMessageId],
  ]);
});

test("a refused message is reported once and deleted, and the stream continues", async () => {
  await using server = await FakeServer.start();
  const queue = new MemorySendQueue();
  await using client = open(server, { queue });
  const stream = await server.liveStream();
  const sending = client.link.send({ kind: "user", username: "nobody" }, "hello");
  await stream.sent();
  stream.send({
    $case: "refused",
    value: {
      clientMessageId: sending.clientMessageId,
      reason: Reason.USER_NOT_FOUND,
      field: "target.username",
      message: "There is no user of that name.",
      retryDelay: undefined,
      conversationId: "",
      metadata: {},
    },
  });
  await expect(sending.done).rejects.toMatchObject({ reason: "USER_NOT_FOUND", field: "target.username" });
  expect(await client.next("refused")).toMatchObject({
    clientMessageId: sending.clientMessageId,
    content: { kind: "text", text: "hello" },
    error: { reason: "USER_NOT_FOUND", message: "There is no user of that name." },
  });
  expect(queue.remove(sending.clientMessageId)).toBe(false);
  const next = client.link.send(toYoda, "next");
  expect(await stream.sent()).toMatchObject({ text: "next" });
  stream.ack(next.clientMessageId, 1);
  await next.done;
});

test("after a refusal with a retry delay the message is sent again", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const stream = await server.liveStream();
  const sending = client.link.send(toYoda, "hello");
  const { id } = await stream.sent();
  const before = performance.now();
  stream.send({
    $case: "refused",
    value: {
      clientMessageId: id,
      reason: Reason.RATE_LIMITED,
      field: "",
      message: "",
      retryDelay: { seconds: 0n, nanos: 50_000_000 },
      conversationId: "",
      metadata: {},
    },
  });
  expect(await stream.sent()).toEqual({ text: "hello", id });
  expect(performance.now() - before).toBeGreaterThan(45);
  stream.ack(id, 1);
  await sending.done;
});

test("a message for which the server would end the stream is refused locally", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const long = client.link.send(toYoda, "x".repeat(40_000));
  const named = client.link.send({ kind: "user", username: "n".repeat(5_000) }, "x");
  const stream = await server.liveStream();
  await expect(long.done).rejects.toMatchObject({ reason: "CONTENT_TOO_LARGE" });
  await expect(named.done).rejects.toMatchObject({ reason: "INVALID_FIELD", field: "target" });
  expect(await client.next("refused")).toMatchObject({ clientMessageId: long.clientMessageId });
  await client.phase("live");
  expect(stream.waiting).toBe(0);
});

test("a send beyond the limit of unsent messages is refused and not queued", async () => {
  await using server = await FakeServer.start();
  server.relay.refusing = true;
  await using client = open(server, { backoff: { baseMs: 100_000, capMs: 100_000 } });
  for (let left = 10_000; left > 0; left--) client.link.send(toYoda, "x");
  expect(() => client.link.send(toYoda, "x")).toThrow(/Too many messages are unsent/);
});

test("a message that was unsent for too long is held back until it is released or dropped", async () => {
  await using server = await FakeServer.start();
  server.relay.refusing = true;
  const queue = new MemorySendQueue();
  await using client = open(server, {
    queue,
    holdBackAfterMs: 30,
    backoff: { baseMs: 60, capMs: 60, random: () => 1 },
  });
  const old = client.link.send(toYoda, "old");
  const older = client.link.send(toYoda, "forget it");
  await client.phase("waiting");
  server.relay.refusing = false;
  const stream = await server.liveStream();
  expect(await client.next("held-back")).toMatchObject({ messages: [{ held: true }, { held: true }] });
  await client.phase("live");
  expect(client.link.heldBack.map(({ clientMessageId }) => clientMessageId)).toEqual([
    old.clientMessageId,
    older.clientMessageId,
  ]);
  await client.link.settled();
  const now = client.link.send(toYoda, "new");
  expect(await stream.sent()).toMatchObject({ text: "new" });
  expect(client.link.release(old.clientMessageId)).toBe(true);
  expect(client.link.release(old.clientMessageId)).toBe(false);
  expect(await stream.sent()).toEqual({ text: "old", id: old.clientMessageId });
  expect(client.link.drop(older.clientMessageId)).toBe(true);
  await expect(older.done).rejects.toThrow("dropped");
  stream.ack(now.clientMessageId, 1);
  stream.ack(old.clientMessageId, 2);
  await old.done;
  expect(client.link.heldBack).toEqual([]);
});

test("messages that a link leaves unsent are sent by the next link, before newer ones", async () => {
  await using server = await FakeServer.start();
  const queue = new MemorySendQueue();
  const first = open(server, { queue });
  const stream = await server.liveStream();
  const one = first.link.send(toYoda, "one");
  await stream.sent();
  await first[Symbol.asyncDispose]();
  await expect(one.done).rejects.toMatchObject({ name: "LinkEndedError" });
  expect(() => first.link.send(toYoda, "late")).toThrow(/ended/);

  await using client = open(server, { queue });
  client.link.send(toYoda, "two");
  const next = await server.liveStream();
  expect(await next.sent()).toEqual({ text: "one", id: one.clientMessageId });
  expect(await next.sent()).toMatchObject({ text: "two" });
});

test("an error of the send queue ends the link", async () => {
  await using server = await FakeServer.start();
  class BrokenQueue extends MemorySendQueue {
    override remove(): boolean {
      throw new Error("disk full");
    }
  }
  await using client = open(server, { queue: new BrokenQueue() });
  const stream = await server.liveStream();
  client.link.send(toYoda, "x");
  stream.ack((await stream.sent()).id, 1);
  expect(await client.phase("ended")).toMatchObject({
    ending: { kind: "failed", cause: { message: "disk full" } },
  });
});

test("close sends the written commands before the stream ends", async () => {
  await using server = await FakeServer.start();
  const client = open(server);
  const stream = await server.liveStream();
  await client.phase("live");
  client.link.setTyping(toYoda, true);
  client.link.setTyping(toYoda, true);
  client.link.reportActivity();
  await client[Symbol.asyncDispose]();
  expect(await stream.command("setTyping")).toMatchObject({ typing: true });
  await stream.command("reportActivity");
  expect(client.link.state).toEqual({ phase: "ended", ending: { kind: "closed" } });
  expect(await client.phase("ended")).toMatchObject({ ending: { kind: "closed" } });
});

test("close returns in time while the server hangs, and while there is no server", async () => {
  await using server = await FakeServer.start();
  {
    await using client = open(server);
    await server.stream();
    server.relay.freeze();
    await client.phase("connecting");
  }
  server.relay.refusing = true;
  await using client = open(server, { backoff: { baseMs: 100_000, capMs: 100_000 } });
  await client.phase("waiting");
});

test("a slow reader that awaits its sends receives their acks by unary calls", async () => {
  await using server = await FakeServer.start();
  await using client = open(server, { maxBufferedEvents: 10 });
  const asked: bigint[] = [];
  server.onSend = ({ clientMessageId }) => {
    asked.push(clientMessageId);
    if (asked.length === 1) {
      return Promise.reject(
        new RpcError({ code: status.NOT_FOUND, reason: "USER_NOT_FOUND", message: "no such user" }),
      );
    }
    const ack = {
      clientMessageId,
      conversationId: "c9",
      seq: 5n,
      sendTime: undefined,
      repeatedSend: true,
      withheld: false,
    };
    return Promise.resolve(ack);
  };
  const stream = await server.stream();
  await stream.hello();
  stream.welcome();
  for (let n = 0; n < 100; n++) stream.entries(n * 10 + 1, n * 10 + 10);
  await client.entries(5);
  const refused = client.link.send(toYoda, "to nobody");
  const sending = client.link.send(toYoda, "hello");
  await expect(refused.done).rejects.toMatchObject({ reason: "USER_NOT_FOUND" });
  expect(await sending.done).toMatchObject({ seq: 5n });
  expect(asked).toEqual([refused.clientMessageId, sending.clientMessageId]);
  // No entry is lost, and the link continues.
  expect(seqs(await client.entries(995)).at(-1)).toBe(1000);
  stream.caughtUp();
  await client.phase("live");
});
