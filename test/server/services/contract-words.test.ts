// What the comments of the contract say about single fields, and no other test checks.
import { expect, test } from "vitest";
import { Feature } from "../../../gen/parley/chat/v1/event.ts";
import type { TestClient } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const HOUR = 3_600_000;
const text = (value: string) => ({ kind: { $case: "text", value } }) as const;

async function sessionOf(client: TestClient) {
  const { sessions } = await client.unary(client.auth, client.auth.listSessions, {
    pageSize: 0,
    pageToken: "",
  });
  return sessions.find(({ current }) => current);
}

test.each<[string, Feature[], Feature[]]>([
  ["an empty list", [], [Feature.PRESENCE, Feature.TYPING, Feature.MARKERS]],
  ["only unknown values", [99 as Feature], []],
  ["only UNSPECIFIED", [Feature.UNSPECIFIED], []],
  ["a known and an unknown value", [99 as Feature, Feature.TYPING], [Feature.TYPING]],
])("Hello.features: %s", async (_name, features, selected) => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using stream = await leia.connect({ features }).caughtUp();
  const [welcome] = stream.all("welcome");
  expect(welcome?.features).toEqual(selected);
  // Entries belong to no family.
  await han.send("leia", "hello");
  expect(await stream.nextText()).toBe("hello");
});

test("a send to the broadcast conversation by its id is a broadcast", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using atHan = await han.connect().caughtUp();
  const id = atHan.all("welcome")[0]?.broadcastConversationId ?? "";
  const target = { target: { $case: "conversationId", value: id } as const };
  const request = { clientMessageId: 7n, target, content: text("to all") };
  const { ack } = await leia.unary(leia.chat, leia.chat.sendMessage, request);
  expect(ack).toMatchObject({ conversationId: id, repeatedSend: false });
  expect((await atHan.next("entryAppended")).entry).toMatchObject({
    conversationId: id,
    recipient: undefined,
  });
  // It shares the numbers of Broadcast.
  expect(await leia.broadcast("to all", 7n)).toMatchObject({ seq: ack?.seq, repeatedSend: true });
});

test("a Refused may come before the Ack of an earlier send, and both name their sends", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const target = { target: { $case: "username", value: "han" } as const };
  const send = (clientMessageId: bigint, content: ReturnType<typeof text>) =>
    ({ kind: { $case: "sendMessage", value: { clientMessageId, target, content } } }) as const;
  stream.write(send(1n, text("stored")), send(2n, text("")));
  expect((await stream.next("refused")).clientMessageId).toBe(2n);
  while (stream.all("ack").length === 0) await stream.change();
  const kinds = stream.events
    .map(({ kind }) => kind?.$case)
    .filter((one) => one === "ack" || one === "refused");
  expect(kinds).toEqual(["refused", "ack"]);
  expect(stream.all("ack")[0]?.clientMessageId).toBe(1n);
});

test("the server's own client message ids are 2^63 or above, and rise", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const first = await leia.send("han", "one", 0n);
  const second = await leia.send("han", "two", 0n);
  expect(first.clientMessageId).toBeGreaterThanOrEqual(2n ** 63n);
  expect(second.clientMessageId).toBeGreaterThan(first.clientMessageId);
});

test("a refused call is a use of the token as well, and extends it once an hour", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["leia"], clock, sessionLifetimeMs: 24 * HOUR });
  const leia = await server.logIn("leia");
  const first = await sessionOf(leia);
  clock.advance(HOUR / 2);
  expect(await sessionOf(leia)).toEqual(first);
  clock.advance(HOUR);
  await expect(leia.send("nobody", "hello")).rejects.toMatchObject({ reason: "USER_NOT_FOUND" });
  const used = await sessionOf(leia);
  expect(used?.lastUsedTime?.getTime()).toBe(clock.now());
  expect(used?.expireTime?.getTime()).toBe(clock.now() + 24 * HOUR);
});

test("an open stream is a use of the token", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["leia"], clock, sessionLifetimeMs: 3 * HOUR });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const { accounts } = server.store;
  const userId = (await accounts.userByName("leia"))?.userId ?? 0;
  for (let hours = 0; hours < 5; hours++) {
    clock.advance(HOUR + 60_000);
    // The sweep of the minute stores the use.
    await eventually(async () => {
      const [session] = await accounts.listSessions(userId, Number.MAX_SAFE_INTEGER, 1, clock.now());
      expect((session?.expireTime ?? 0) - clock.now()).toBeGreaterThanOrEqual(2 * HOUR);
    });
  }
  expect((await sessionOf(leia))?.expireTime?.getTime()).toBeGreaterThan(clock.now());
  expect(stream.all("caughtUp")).toHaveLength(1);
});
