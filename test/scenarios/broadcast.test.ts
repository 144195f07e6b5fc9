// Scenarios of broadcasts: which users receive one, from which users it is withheld, and what the ack says about that.
import { describe, expect, test } from "vitest";
import type { Command } from "../../gen/parley/chat/v1/chat_service.ts";
import { reasonOf, type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

function broadcastOf(clientMessageId: bigint, text: string): Command {
  const content = { kind: { $case: "text", value: text } } as const;
  return { kind: { $case: "broadcast", value: { clientMessageId, content } } };
}

async function broadcastTexts(client: TestClient): Promise<string[]> {
  const { broadcastConversationId } = await client.connect().next("welcome");
  return client.textsOf({ $case: "conversationId", value: broadcastConversationId });
}

describe.each(transports)("through $name", ({ goOnline, online, open }) => {
  test("the author's other streams receive the broadcast; the stream that sent it receives only the ack", async () => {
    await using server = await TestServer.start({ users: people });
    const desktop = await online(server, "hans");
    const phone = await online(server, "hans");
    await desktop.broadcast("hear me");
    expect(await phone.stream.nextText()).toBe("hear me");
    await phone.broadcast("and me");
    expect(
      await desktop.stream.next("entryAppended", (appended) => textOf(appended) === "and me"),
    ).toBeDefined();
    // With Follow the broadcast is a unary call, so the stream of that device receives the entry.
    const own = desktop.stream.all("ack").length > 0 ? [] : ["hear me"];
    expect(desktop.stream.all("entryAppended").map(textOf)).toEqual([...own, "and me"]);
  });

  test("a user who lost the connection less than the grace period ago receives the broadcast after reconnecting", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const hans = await online(server, "hans");
    const yoda = await online(server, "yoda");
    yoda.stream[Symbol.dispose]();
    await yoda.stream.ended;
    await hans.broadcast("are you all there?");
    const again = await open(yoda.client).caughtUp();
    expect(again.all("entryAppended").map(textOf)).toEqual(["are you all there?"]);
  });

  test("a retry says withheld as the first answer did, although the blocker has since unblocked and logged out", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await online(server, "vader");
    const hans = await online(server, "hans");
    expect(await vader.broadcast("to all", 1n)).toMatchObject({ withheld: false });
    await hans.client.block("vader");
    expect(await vader.broadcast("to some", 2n)).toMatchObject({ withheld: true });
    await hans.client.unblock("vader");
    await hans.client.logOut();
    await hans.stream.ended;
    await server.stop();
    await server.start();
    const back = await goOnline(vader.client);
    expect(await back.broadcast("to all", 1n)).toMatchObject({ withheld: false, repeatedSend: true });
    expect(await back.broadcast("to some", 2n)).toMatchObject({ withheld: true, repeatedSend: true });
  });

  test("a broadcast is withheld from a blocker within the grace period", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const vader = await online(server, "vader");
    const hans = await online(server, "hans");
    await hans.client.block("vader");
    hans.stream[Symbol.dispose]();
    await hans.stream.ended;
    expect(await vader.broadcast("hello")).toMatchObject({ withheld: true });
    const again = await open(hans.client).caughtUp();
    expect(again.all("omitted")).toMatchObject([{ fromSeq: 1n, toSeq: 1n }]);
  });

  test("the blocker's own broadcasts reach the blocked user and are not withheld", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    await hans.client.block("vader");
    expect(await hans.broadcast("good news")).toMatchObject({ withheld: false });
    expect(await vader.stream.nextText()).toBe("good news");
    expect(await broadcastTexts(vader.client)).toEqual(["good news"]);
  });

  test("a broadcast that is empty or too long is refused and takes no seq", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    expect(await reasonOf(hans.broadcast(""))).toBe("CONTENT_EMPTY");
    expect(await reasonOf(hans.broadcast("x".repeat(64 * 1024)))).toBe("CONTENT_TOO_LARGE");
    expect(await hans.broadcast("fine")).toMatchObject({ seq: 1n });
  });
});

// The test below uses both transports.
test("the ack says only that a broadcast was withheld: on a stream, by a call and for a retry, without a count or names", async () => {
  await using server = await TestServer.start({ users: people });
  const vader = await connectUser(server, "vader");
  for (const name of ["hans", "leia"]) await (await connectUser(server, name)).client.block("vader");
  const yoda = await connectUser(server, "yoda");
  const before = vader.stream.events.length;
  vader.stream.write(broadcastOf(1n, "on a stream"));
  const ack = await vader.stream.next("ack");
  expect(ack).toMatchObject({ seq: 1n, withheld: true, repeatedSend: false });
  const { withheld: _withheld, ...others } = ack;
  expect(JSON.stringify(others, (_, value) => String(value))).not.toMatch(/hans|leia/);
  vader.stream.write(broadcastOf(1n, "on a stream"));
  expect(await vader.stream.next("ack")).toEqual({ ...ack, repeatedSend: true });
  const called = await vader.client.broadcast("by a call", 2n);
  expect(called).toMatchObject({ seq: 2n, withheld: true, repeatedSend: false });
  expect(await vader.client.broadcast("by a call", 2n)).toEqual({ ...called, repeatedSend: true });
  expect(await yoda.stream.nextText()).toBe("on a stream");
  expect(await yoda.stream.nextText()).toBe("by a call");
  // The stream receives one ack for each send on it, the entry of the call, and nothing else.
  const received = vader.stream.events.slice(before).flatMap(({ kind }) => kind?.$case ?? []);
  expect(received.filter((kind) => kind !== "presenceChanged")).toEqual(["ack", "ack", "entryAppended"]);
});

// A user with a stream is online, so the broadcast is a call.
test("the author of a broadcast by a call can read it, and is not recorded as online", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await server.logIn("yoda");
  const hans = await connectUser(server, "hans");
  const { conversationId } = await yoda.broadcast("from afar");
  expect(await hans.stream.nextText()).toBe("from afar");
  expect(await yoda.textsOf({ $case: "conversationId", value: conversationId })).toEqual(["from afar"]);
  expect(await hans.client.whoelse(2n ** 62n)).toEqual([]);
});
