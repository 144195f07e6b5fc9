// Promise 2, without faults: a retried send is stored once, and the same id with other content is refused.
// With faults: 02-nothing-acked-is-lost.slow.test.ts.
import { expect, test } from "vitest";
import { TestServer } from "../support/server.ts";

test("a retry with the same device and id gets the first answer: on a stream, by a unary call, and after a restart", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using stream = await leia.connect().caughtUp();
  stream.send("han", "help me", 7n);
  const first = await stream.next("ack");
  expect(first.repeatedSend).toBe(false);
  stream.send("han", "help me", 7n);
  expect(await stream.next("ack")).toEqual({ ...first, repeatedSend: true });
  expect(await leia.send("han", "help me", 7n)).toEqual({ ...first, repeatedSend: true });
  await server.stop();
  await server.start();
  expect(await leia.send("han", "help me", 7n)).toEqual({ ...first, repeatedSend: true });
  using reader = await han.connect().caughtUp();
  expect(reader.all("entryAppended")).toHaveLength(1);
});

test("the same id with another text or recipient is refused", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  await leia.send("han", "help me", 7n);
  const reused = { reason: "CLIENT_MESSAGE_ID_REUSED", field: "client_message_id" };
  await expect(leia.send("han", "help him", 7n)).rejects.toMatchObject(reused);
  await expect(leia.send("luke", "help me", 7n)).rejects.toMatchObject(reused);
  await expect(leia.broadcast("help me", 7n)).rejects.toMatchObject(reused);
});

test("ids belong to a device: two devices of a user may use the same id", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const phone = await server.logIn("leia");
  const laptop = await server.logIn("leia");
  expect((await phone.send("han", "from the phone", 1n)).seq).toBe(1n);
  expect((await laptop.send("han", "from the laptop", 1n)).seq).toBe(2n);
});

test("ids may be used in any order", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  for (const id of [5n, 3n, 2n ** 63n - 1n, 1n]) {
    stream.send("han", `message ${id}`, id);
    expect((await stream.next("ack")).clientMessageId).toBe(id);
  }
});

test("without an id the server sets one, in the range that clients may not use", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const first = await leia.send("han", "no id", 0n);
  const second = await leia.send("han", "no id", 0n);
  expect(first.clientMessageId).toBeGreaterThan(2n ** 63n);
  expect(second.clientMessageId).toBeGreaterThan(first.clientMessageId);
  expect(second.seq).toBe(first.seq + 1n);
});
