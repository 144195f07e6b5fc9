// Scenarios of broadcasts: who was here for one, from whom it is withheld, and what its author is told of that.
import { describe, expect, test } from "vitest";
import type { Command } from "../../gen/parley/chat/v1/chat_service.ts";
import { reasonOf, type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { online } from "./online.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

function toAll(clientMessageId: bigint, text: string): Command {
  const content = { kind: { $case: "text", value: text } } as const;
  return { kind: { $case: "broadcast", value: { clientMessageId, content } } };
}

async function everyone(client: TestClient): Promise<string[]> {
  const { broadcastConversationId } = await client.connect().next("welcome");
  return client.log({ $case: "conversationId", value: broadcastConversationId });
}

describe.each(transports)("through $name", ({ enter, here, open }) => {
  test("the author's other device is given the text; the stream that broadcast, the ack alone", async () => {
    await using server = await TestServer.start({ users: people });
    const context = await here(server, "hans");
    const phone = await here(server, "hans");
    await context.broadcast("hear me");
    expect(await phone.stream.nextText()).toBe("hear me");
    await phone.broadcast("and me");
    expect(await context.stream.next("entryAppended", (one) => textOf(one) === "and me")).toBeDefined();
    // A stream that only follows has broadcast nothing: it is one of the author's other streams.
    const own = context.stream.all("ack").length > 0 ? [] : ["hear me"];
    expect(context.stream.all("entryAppended").map(textOf)).toEqual([...own, "and me"]);
  });

  test("who lost the connection less than the grace ago was here: the broadcast is there at the return", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const hans = await here(server, "hans");
    const yoda = await here(server, "yoda");
    yoda.stream[Symbol.dispose]();
    await yoda.stream.ended;
    await hans.broadcast("are you all there?");
    const again = await open(yoda.client).caughtUp();
    expect(again.all("entryAppended").map(textOf)).toEqual(["are you all there?"]);
  });

  test("the retry says withheld as the first answer did, though all have unblocked or left since", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await here(server, "vader");
    const hans = await here(server, "hans");
    expect(await vader.broadcast("to all", 1n)).toMatchObject({ withheld: false });
    await hans.client.block("vader");
    expect(await vader.broadcast("to some", 2n)).toMatchObject({ withheld: true });
    await hans.client.unblock("vader");
    await hans.client.logOut();
    await hans.stream.ended;
    await server.stop();
    await server.start();
    const back = await enter(vader.client);
    expect(await back.broadcast("to all", 1n)).toMatchObject({ withheld: false, repeatedSend: true });
    expect(await back.broadcast("to some", 2n)).toMatchObject({ withheld: true, repeatedSend: true });
  });

  test("who blocks the author and is within the grace is one from whom it is withheld", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const vader = await here(server, "vader");
    const hans = await here(server, "hans");
    await hans.client.block("vader");
    hans.stream[Symbol.dispose]();
    await hans.stream.ended;
    expect(await vader.broadcast("hello")).toMatchObject({ withheld: true });
    const again = await open(hans.client).caughtUp();
    expect(again.all("omitted")).toMatchObject([{ fromSeq: 1n, toSeq: 1n }]);
  });

  test("the blocker's own broadcasts reach the blocked one, and withhold nothing", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    await hans.client.block("vader");
    expect(await hans.broadcast("good news")).toMatchObject({ withheld: false });
    expect(await vader.stream.nextText()).toBe("good news");
    expect(await everyone(vader.client)).toEqual(["good news"]);
  });

  test("an empty broadcast, and one that is too long, are refused and take no number", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    expect(await reasonOf(hans.broadcast(""))).toBe("CONTENT_EMPTY");
    expect(await reasonOf(hans.broadcast("x".repeat(64 * 1024)))).toBe("CONTENT_TOO_LARGE");
    expect(await hans.broadcast("fine")).toMatchObject({ seq: 1n });
  });
});

// Both transports in one scenario.
test("several who block are one word to the author, on a stream, by a call and in a repeat; nobody is named", async () => {
  await using server = await TestServer.start({ users: people });
  const vader = await online(server, "vader");
  for (const name of ["hans", "leia"]) await (await online(server, name)).client.block("vader");
  const yoda = await online(server, "yoda");
  const before = vader.stream.events.length;
  vader.stream.write(toAll(1n, "on a stream"));
  const ack = await vader.stream.next("ack");
  expect(ack).toMatchObject({ seq: 1n, withheld: true, repeatedSend: false });
  const { withheld: _said, ...others } = ack;
  expect(JSON.stringify(others, (_, value) => String(value))).not.toMatch(/hans|leia/);
  vader.stream.write(toAll(1n, "on a stream"));
  expect(await vader.stream.next("ack")).toEqual({ ...ack, repeatedSend: true });
  const called = await vader.client.broadcast("by a call", 2n);
  expect(called).toMatchObject({ seq: 2n, withheld: true, repeatedSend: false });
  expect(await vader.client.broadcast("by a call", 2n)).toEqual({ ...called, repeatedSend: true });
  expect(await yoda.stream.nextText()).toBe("on a stream");
  expect(await yoda.stream.nextText()).toBe("by a call");
  // One ack for each send, and the author's own entry of the call: nothing else was told of it.
  const told = vader.stream.events.slice(before).flatMap(({ kind }) => kind?.$case ?? []);
  expect(told.filter((kind) => kind !== "presenceChanged")).toEqual(["ack", "ack", "entryAppended"]);
});

// Whoever comes through Connect is online: to broadcast without that takes a call.
test("a broadcast by a call is its author's to read, and puts nobody on record as online", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await server.logIn("yoda");
  const hans = await online(server, "hans");
  const { conversationId } = await yoda.broadcast("from afar");
  expect(await hans.stream.nextText()).toBe("from afar");
  expect(await yoda.log({ $case: "conversationId", value: conversationId })).toEqual(["from afar"]);
  expect(await hans.client.whoelse(2n ** 62n)).toEqual([]);
});
