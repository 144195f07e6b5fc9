// Scenarios of blocks: who is refused, who still may, and that nothing else changes.
import { describe, expect, test } from "vitest";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { reasonOf, type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { online } from "./online.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ enter, here }) => {
  test("who is blocked is told so, by name and by conversation; nothing is stored", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    const { conversationId } = await vader.send("hans", "before");
    await hans.client.block("vader");
    expect(await reasonOf(vader.send("hans", "now"))).toBe("BLOCKED_BY_RECIPIENT");
    expect(await reasonOf(vader.send({ conversationId }, "now"))).toBe("BLOCKED_BY_RECIPIENT");
    expect(await vader.client.said("hans")).toEqual(["before"]);
    // Not a number was taken.
    expect((await hans.send("vader", "silence")).seq).toBe(2n);
  });

  test("it is refused whether the blocker is online or not", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    await hans.block("vader");
    const vader = await here(server, "vader");
    expect(await reasonOf(vader.send("hans", "are you there?"))).toBe("BLOCKED_BY_RECIPIENT");
  });

  test("a block goes one way: the blocker may write, and others write to the blocker", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    await hans.client.block("vader");
    await hans.send("vader", "no");
    expect(await vader.stream.nextText()).toBe("no");
    await (await here(server, "leia")).send("hans", "hello");
    expect(textOf(await hans.stream.next("entryAppended", (one) => textOf(one) === "hello"))).toBe("hello");
  });

  test("a block is kept over a restart, and an unblock too", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    const vader = await here(server, "vader");
    await hans.block("vader");
    await server.stop();
    await server.start();
    expect(await reasonOf((await enter(vader.client)).send("hans", "now"))).toBe("BLOCKED_BY_RECIPIENT");
    await hans.unblock("vader");
    await server.stop();
    await server.start();
    await (await enter(vader.client)).send("hans", "now");
    expect(await hans.said("vader")).toEqual(["now"]);
  });

  test("the retry of a send that was acked before the block gives the first answer", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    const vader = await here(server, "vader");
    const first = await vader.send("hans", "once", 7n);
    await hans.block("vader");
    expect(await vader.send("hans", "once", 7n)).toEqual({ ...first, repeatedSend: true });
    expect(await reasonOf(vader.send("hans", "twice", 8n))).toBe("BLOCKED_BY_RECIPIENT");
  });

  test("the retry is given the first answer, and reaches nobody again", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    const first = await vader.send("hans", "once", 7n);
    await hans.client.block("vader");
    expect(await vader.send("hans", "once", 7n)).toEqual({ ...first, repeatedSend: true });
    expect(vader.stream.all("refused")).toEqual([]);
    await hans.send("vader", "I heard");
    // By a call: a stream of one's own is given no entry for what it has sent.
    await hans.client.send("vader", "and I say so");
    await hans.stream.next("entryAppended", (one) => textOf(one) === "and I say so");
    const came = hans.stream.all("entryAppended").map(textOf);
    expect(came.filter((text) => text !== "I heard")).toEqual(["once", "and I say so"]);
  });

  test("a block holds for all devices of both: those that are here, and those that come later", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = [await here(server, "vader"), await here(server, "vader")];
    const hans = [await here(server, "hans"), await here(server, "hans")];
    await hans[0]?.client.block("vader");
    vader.push(await here(server, "vader"));
    hans.push(await here(server, "hans"));
    for (const device of vader) expect(await reasonOf(device.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
    for (const { client } of hans) expect(await reasonOf(client.block("vader"))).toBe("ALREADY_BLOCKED");
    await hans[2]?.client.unblock("vader");
    for (const device of vader) await device.send("hans", "back");
    expect(await hans[0]?.stream.nextText()).toBe("back");
  });

  test("typing is told to neither while one of the two blocks the other", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    await hans.client.block("vader");
    await vader.type("hans");
    await hans.type("vader");
    await hans.client.unblock("vader");
    await vader.type("hans");
    await hans.type("vader");
    await hans.stream.next("typingChanged");
    await vader.stream.next("typingChanged");
    expect(hans.stream.all("typingChanged")).toHaveLength(1);
    expect(vader.stream.all("typingChanged")).toHaveLength(1);
  });

  test("two who block each other are both refused, until both have taken it back", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    await hans.client.block("vader");
    await vader.client.block("hans");
    expect(await reasonOf(hans.send("vader", "x"))).toBe("BLOCKED_BY_RECIPIENT");
    await vader.client.unblock("hans");
    await hans.send("vader", "this way it goes");
    expect(await reasonOf(vader.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
  });
});

// BlockService has no commands on a stream: these have one transport.
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

// Frames of several commands are what Connect has.
test("in one frame to many, what is for the blocker is refused alone", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  await hans.block("vader");
  const vader = await online(server, "vader");
  const names = ["yoda", "hans", "leia", "hans", "yoda"];
  vader.stream.write(
    ...names.map((name, index) => ({
      kind: {
        $case: "sendMessage" as const,
        value: {
          clientMessageId: BigInt(index + 1),
          target: { target: { $case: "username" as const, value: name } },
          content: { kind: { $case: "text" as const, value: `to ${name}` } },
        },
      },
    })),
  );
  while (vader.stream.all("ack").length + vader.stream.all("refused").length < 5) await vader.stream.change();
  expect(vader.stream.all("ack").map((ack) => ack.clientMessageId)).toEqual([1n, 3n, 5n]);
  expect(vader.stream.all("refused").map((refused) => refused.clientMessageId)).toEqual([2n, 4n]);
  expect(await vader.client.said("yoda")).toEqual(["to yoda", "to yoda"]);
});

// Many sends on their way at once: a call would wait for each answer.
test("sends that race with a block are stored or refused, each as it was answered", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await online(server, "hans");
  const vader = await online(server, "vader");
  const texts = Array.from({ length: 200 }, (_, index) => `number ${index}`);
  const ids = new Map<bigint, string>();
  const blocked = vader.stream.next("ack").then(() => hans.client.block("vader"));
  for (const text of texts) {
    ids.set(vader.stream.send("hans", text), text);
    // Leaves the others their turn: the block comes somewhere in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await blocked;
  const answered = () => vader.stream.all("ack").length + vader.stream.all("refused").length;
  while (answered() < texts.length) await vader.stream.change();
  const acked = vader.stream.all("ack").map((ack) => ids.get(ack.clientMessageId));
  expect(acked.length).toBeGreaterThan(0);
  expect(new Set(vader.stream.all("refused").map(({ reason }) => reason))).toEqual(
    acked.length === texts.length ? new Set() : new Set([Reason.BLOCKED_BY_RECIPIENT]),
  );
  expect(await vader.client.said("hans")).toEqual(acked);
  expect(await hans.client.said("vader")).toHaveLength(acked.length);
  expect(await reasonOf(vader.client.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
});
