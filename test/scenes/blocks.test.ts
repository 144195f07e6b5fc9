// Scenes of blocks: who is refused, who still may, and that nothing else changes.
import { expect, test } from "vitest";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { reasonOf, type TestClient, type TestStream, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";

const people = ["hans", "yoda", "vader", "leia"];

async function online(
  server: TestServer,
  name: string,
): Promise<{ readonly client: TestClient; readonly stream: TestStream }> {
  const client = await server.logIn(name);
  return { client, stream: await client.connect().caughtUp() };
}

test("who is blocked is told so, by call and on a stream, by name and by conversation; nothing is stored", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await online(server, "hans");
  const vader = await online(server, "vader");
  const { conversationId } = await vader.client.send("hans", "before");
  await hans.client.block("vader");
  expect(await reasonOf(vader.client.send("hans", "now"))).toBe("BLOCKED_BY_RECIPIENT");
  const byId = vader.client.unary(vader.client.chat, vader.client.chat.sendMessage, {
    clientMessageId: 0n,
    target: { target: { $case: "conversationId", value: conversationId } },
    content: { kind: { $case: "text", value: "now" } },
  });
  expect(await reasonOf(byId)).toBe("BLOCKED_BY_RECIPIENT");
  const clientMessageId = vader.stream.send("hans", "now");
  expect(await vader.stream.next("refused")).toMatchObject({
    clientMessageId,
    reason: Reason.BLOCKED_BY_RECIPIENT,
  });
  expect(await vader.client.said("hans")).toEqual(["before"]);
});

test("it is refused whether the blocker is online or not", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  await hans.block("vader");
  const vader = await server.logIn("vader");
  expect(await reasonOf(vader.send("hans", "are you there?"))).toBe("BLOCKED_BY_RECIPIENT");
});

test("a block goes one way: the blocker may write, and others write to the blocker", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await online(server, "hans");
  const vader = await online(server, "vader");
  await hans.client.block("vader");
  await hans.client.send("vader", "no");
  expect(await vader.stream.nextText()).toBe("no");
  await (await server.logIn("leia")).send("hans", "hello");
  expect(textOf(await hans.stream.next("entryAppended", (one) => textOf(one) === "hello"))).toBe("hello");
});

test("a block is kept over a restart, and an unblock too", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  const vader = await server.logIn("vader");
  await hans.block("vader");
  await server.stop();
  await server.start();
  expect(await reasonOf(vader.send("hans", "now"))).toBe("BLOCKED_BY_RECIPIENT");
  await hans.unblock("vader");
  await server.stop();
  await server.start();
  await vader.send("hans", "now");
  expect(await hans.said("vader")).toEqual(["now"]);
});

test("the list of blocks is one's own, by name, and no one else's", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  await hans.block("vader");
  await hans.block("leia");
  const blocksOf = async (client: TestClient) => {
    const { blocks } = await client.unary(client.blocks, client.blocks.listBlocks, {
      pageSize: 0,
      pageToken: "",
    });
    return blocks.map(({ user }) => user?.username);
  };
  expect(await blocksOf(hans)).toEqual(["leia", "vader"]);
  // Not in both lists: the blocked one blocks nobody.
  const vader = await server.logIn("vader");
  expect(await blocksOf(vader)).toEqual([]);
  expect(await reasonOf(vader.unblock("hans"))).toBe("NOT_BLOCKED");
});

test("blocking oneself, nobody, somebody twice, and unblocking who is not blocked is refused and changes nothing", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  await hans.block("vader");
  const refusals: [string, string, string][] = [
    ["block", "hans", "RECIPIENT_IS_SELF"],
    ["block", "nobody", "USER_NOT_FOUND"],
    ["block", "Vader", "USER_NOT_FOUND"],
    ["block", "vader ", "USER_NOT_FOUND"],
    ["block", "vаder", "USER_NOT_FOUND"],
    ["block", "", "USER_NOT_FOUND"],
    ["block", "vader", "ALREADY_BLOCKED"],
    ["unblock", "leia", "NOT_BLOCKED"],
    ["unblock", "hans", "NOT_BLOCKED"],
    ["unblock", "nobody", "USER_NOT_FOUND"],
  ];
  for (const [what, name, reason] of refusals) {
    const call = what === "block" ? hans.block(name) : hans.unblock(name);
    expect(await reasonOf(call), `${what} ${name}`).toBe(reason);
  }
  const leia = await server.logIn("leia");
  await leia.send("hans", "not blocked");
  expect(await reasonOf((await server.logIn("vader")).send("hans", "blocked"))).toBe("BLOCKED_BY_RECIPIENT");
});

test("the retry of a send that was acked before the block gives the first answer", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  const vader = await server.logIn("vader");
  const first = await vader.send("hans", "once", 7n);
  await hans.block("vader");
  expect(await vader.send("hans", "once", 7n)).toEqual({ ...first, repeatedSend: true });
  expect(await reasonOf(vader.send("hans", "twice", 8n))).toBe("BLOCKED_BY_RECIPIENT");
});

test("typing is told to neither while one of the two blocks the other", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await online(server, "hans");
  const vader = await online(server, "vader");
  const type = (from: TestClient, to: string) =>
    from.unary(from.chat, from.chat.setTyping, {
      target: { target: { $case: "username", value: to } },
      typing: true,
    });
  await hans.client.block("vader");
  await type(vader.client, "hans");
  await type(hans.client, "vader");
  await hans.client.unblock("vader");
  await type(vader.client, "hans");
  await type(hans.client, "vader");
  await hans.stream.next("typingChanged");
  await vader.stream.next("typingChanged");
  expect(hans.stream.all("typingChanged")).toHaveLength(1);
  expect(vader.stream.all("typingChanged")).toHaveLength(1);
});

test("two who block each other are both refused, until both have taken it back", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  const vader = await server.logIn("vader");
  await hans.block("vader");
  await vader.block("hans");
  expect(await reasonOf(hans.send("vader", "x"))).toBe("BLOCKED_BY_RECIPIENT");
  await vader.unblock("hans");
  await hans.send("vader", "this way it goes");
  expect(await reasonOf(vader.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
});
