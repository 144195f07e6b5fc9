// Scenarios of blocks: which sends are refused, which are not, and that nothing else changes.
import { describe, expect, test } from "vitest";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { reasonOf, type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ goOnline, online }) => {
  test("a blocked user's send is refused, by name and by conversation, and nothing is stored", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    const { conversationId } = await vader.send("hans", "before");
    await hans.client.block("vader");
    expect(await reasonOf(vader.send("hans", "now"))).toBe("BLOCKED_BY_RECIPIENT");
    expect(await reasonOf(vader.send({ conversationId }, "now"))).toBe("BLOCKED_BY_RECIPIENT");
    expect(await vader.client.textsWith("hans")).toEqual(["before"]);
    // The refused sends took no seq.
    expect((await hans.send("vader", "silence")).seq).toBe(2n);
  });

  test("a send to an offline blocker is refused, too", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    await hans.block("vader");
    const vader = await online(server, "vader");
    expect(await reasonOf(vader.send("hans", "are you there?"))).toBe("BLOCKED_BY_RECIPIENT");
  });

  test("a block works in one direction: the blocker may send to the blocked user, and others may send to the blocker", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    await hans.client.block("vader");
    await hans.send("vader", "no");
    expect(await vader.stream.nextText()).toBe("no");
    await (await online(server, "leia")).send("hans", "hello");
    expect(textOf(await hans.stream.next("entryAppended", (appended) => textOf(appended) === "hello"))).toBe(
      "hello",
    );
  });

  test("blocks and unblocks survive a restart", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    const vader = await online(server, "vader");
    await hans.block("vader");
    await server.stop();
    await server.start();
    expect(await reasonOf((await goOnline(vader.client)).send("hans", "now"))).toBe("BLOCKED_BY_RECIPIENT");
    await hans.unblock("vader");
    await server.stop();
    await server.start();
    await (await goOnline(vader.client)).send("hans", "now");
    expect(await hans.textsWith("vader")).toEqual(["now"]);
  });

  test("the retry of a send that was acked before the block gets the first answer", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    const vader = await online(server, "vader");
    const first = await vader.send("hans", "once", 7n);
    await hans.block("vader");
    expect(await vader.send("hans", "once", 7n)).toEqual({ ...first, repeatedSend: true });
    expect(await reasonOf(vader.send("hans", "twice", 8n))).toBe("BLOCKED_BY_RECIPIENT");
  });

  test("the retry of an acked send is not delivered again", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    const first = await vader.send("hans", "once", 7n);
    await hans.client.block("vader");
    expect(await vader.send("hans", "once", 7n)).toEqual({ ...first, repeatedSend: true });
    expect(vader.stream.all("refused")).toEqual([]);
    await hans.send("vader", "I heard");
    // Sent by a call, since a Connect stream receives no entries for its own sends.
    await hans.client.send("vader", "and I say so");
    await hans.stream.next("entryAppended", (appended) => textOf(appended) === "and I say so");
    const received = hans.stream.all("entryAppended").map(textOf);
    expect(received.filter((text) => text !== "I heard")).toEqual(["once", "and I say so"]);
  });

  test("a block applies to all devices of both users, also to devices that log in later", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = [await online(server, "vader"), await online(server, "vader")];
    const hans = [await online(server, "hans"), await online(server, "hans")];
    await hans[0]?.client.block("vader");
    vader.push(await online(server, "vader"));
    hans.push(await online(server, "hans"));
    for (const device of vader) expect(await reasonOf(device.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
    for (const { client } of hans) expect(await reasonOf(client.block("vader"))).toBe("ALREADY_BLOCKED");
    await hans[2]?.client.unblock("vader");
    for (const device of vader) await device.send("hans", "back");
    expect(await hans[0]?.stream.nextText()).toBe("back");
  });

  test("neither user receives typing events while one of them blocks the other", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    await hans.client.block("vader");
    await vader.setTyping("hans");
    await hans.setTyping("vader");
    await hans.client.unblock("vader");
    await vader.setTyping("hans");
    await hans.setTyping("vader");
    await hans.stream.next("typingChanged");
    await vader.stream.next("typingChanged");
    expect(hans.stream.all("typingChanged")).toHaveLength(1);
    expect(vader.stream.all("typingChanged")).toHaveLength(1);
  });

  test("two users who block each other are both refused until both have unblocked", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    await hans.client.block("vader");
    await vader.client.block("hans");
    expect(await reasonOf(hans.send("vader", "x"))).toBe("BLOCKED_BY_RECIPIENT");
    await vader.client.unblock("hans");
    await hans.send("vader", "this way it goes");
    expect(await reasonOf(vader.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
  });
});

// BlockService has no commands on a stream, so the transport makes no difference.
test("users see their own list of blocks, sorted by name, and no blocks of others", async () => {
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
  // The block is not in the list of the blocked user.
  const vader = await server.logIn("vader");
  expect(await blocksOf(vader)).toEqual([]);
  expect(await reasonOf(vader.unblock("hans"))).toBe("NOT_BLOCKED");
});

test("it is refused to block oneself, an unknown user or a user twice, and to unblock a user who is not blocked; nothing changes", async () => {
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

// Only Connect has frames with several commands.
test("of several sends in one frame, only those to the blocker are refused", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await server.logIn("hans");
  await hans.block("vader");
  const vader = await connectUser(server, "vader");
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
  expect(await vader.client.textsWith("yoda")).toEqual(["to yoda", "to yoda"]);
});

// On a stream many sends are pending at the same time; a call would wait for each answer.
test("each send that races with a block is stored if it was acked, and not stored if it was refused", async () => {
  await using server = await TestServer.start({ users: people });
  const hans = await connectUser(server, "hans");
  const vader = await connectUser(server, "vader");
  const texts = Array.from({ length: 200 }, (_, index) => `number ${index}`);
  const ids = new Map<bigint, string>();
  const blocked = vader.stream.next("ack").then(() => hans.client.block("vader"));
  for (const text of texts) {
    ids.set(vader.stream.send("hans", text), text);
    // Lets the event loop turn, so that the block arrives between two sends.
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
  expect(await vader.client.textsWith("hans")).toEqual(acked);
  expect(await hans.client.textsWith("vader")).toHaveLength(acked.length);
  expect(await reasonOf(vader.client.send("hans", "x"))).toBe("BLOCKED_BY_RECIPIENT");
});
