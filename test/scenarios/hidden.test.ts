// Scenarios of what a block hides: stored messages and broadcasts, live, in the backlog and in the history, for ever.
import { describe, expect, test } from "vitest";
import { type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { type Transport, transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

/** What a fresh stream of the client is given of one conversation: texts, and "-" for each seq omitted. */
async function backlog(transport: Transport, client: TestClient, conversationId: string): Promise<string[]> {
  using stream = transport.open(client, { cursors: [{ conversationId, seq: 0n }] });
  await stream.caughtUp();
  return stream.events.flatMap(({ kind }) => {
    if (kind?.$case === "entryAppended" && kind.value.entry?.conversationId === conversationId)
      return [textOf(kind.value)];
    if (kind?.$case !== "omitted" || kind.value.conversationId !== conversationId) return [];
    return Array.from({ length: Number(kind.value.toSeq - kind.value.fromSeq) + 1 }, () => "-");
  });
}

describe.each(transports)("through $name", (transport) => {
  const { here } = transport;

  test("a stored message that a later block hides is named as omitted, for ever, also after the unblock", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await here(server, "vader");
    const { conversationId } = await vader.send("hans", "join me");
    await vader.send("hans", "it is your destiny");
    const hans = await server.logIn("hans");
    await hans.block("vader");
    expect(await backlog(transport, hans, conversationId)).toEqual(["-", "-"]);
    expect(await hans.said("vader")).toEqual(["-", "-"]);
    await hans.unblock("vader");
    await vader.send("hans", "I am here");
    expect(await backlog(transport, hans, conversationId)).toEqual(["-", "-", "I am here"]);
    await server.stop();
    await server.start();
    expect(await hans.said("vader")).toEqual(["-", "-", "I am here"]);
    // For its author nothing is hidden.
    expect(await vader.client.said("hans")).toEqual(["join me", "it is your destiny", "I am here"]);
  });

  test("what was delivered before the block stays", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await here(server, "vader");
    const hans = await here(server, "hans");
    const { conversationId } = await vader.send("hans", "seen");
    expect(await hans.stream.nextText()).toBe("seen");
    const marker = { conversationId, deliveredSeq: 1n, readSeq: 0n };
    await hans.mark(marker);
    await vader.send("hans", "not delivered");
    await hans.client.block("vader");
    await hans.send("vader", "go away");
    expect(await hans.client.said("vader")).toEqual(["seen", "-", "go away"]);
  });

  test("each block hides for itself: what was delivered between two of them is shown", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await here(server, "vader");
    const hans = await here(server, "hans");
    const { conversationId } = await vader.send("hans", "one");
    await hans.client.block("vader");
    await hans.client.unblock("vader");
    await vader.send("hans", "two");
    await hans.mark({ conversationId, deliveredSeq: 2n, readSeq: 2n });
    await vader.send("hans", "three");
    await hans.client.block("vader");
    await hans.client.unblock("vader");
    await vader.send("hans", "four");
    expect(await hans.client.said("vader")).toEqual(["-", "two", "-", "four"]);
    expect(await backlog(transport, hans.client, conversationId)).toEqual(["-", "two", "-", "four"]);
    const request = { pageSize: 0, pageToken: "", background: false };
    const { conversations } = await vader.client.unary(
      vader.client.history,
      vader.client.history.listConversations,
      request,
    );
    expect(conversations.find((one) => one.conversationId === conversationId)?.undelivered).toEqual([
      { fromSeq: 1n, toSeq: 1n },
      { fromSeq: 3n, toSeq: 3n },
    ]);
  });

  test("a block hides nothing from the blocked one, nothing of one's own, and nothing that a third person says", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const leia = await here(server, "leia");
    const vader = await here(server, "vader");
    const { conversationId } = await vader.send("hans", "his");
    await hans.send("vader", "mine");
    await leia.send("hans", "hers");
    await hans.client.block("vader");
    await vader.broadcast("his to all");
    await leia.broadcast("hers to all");
    const broadcasts = (await hans.broadcast("mine to all")).conversationId;
    expect(await backlog(transport, hans.client, conversationId)).toEqual(["-", "mine"]);
    expect(await hans.client.said("vader")).toEqual(["-", "mine"]);
    expect(await vader.client.said("hans")).toEqual(["his", "mine"]);
    expect(await hans.client.said("leia")).toEqual(["hers"]);
    const all = { $case: "conversationId", value: broadcasts } as const;
    expect(await backlog(transport, hans.client, broadcasts)).toEqual(["-", "hers to all", "mine to all"]);
    expect(await hans.client.log(all)).toEqual(["-", "hers to all", "mine to all"]);
    expect(await vader.client.log(all)).toEqual(["his to all", "hers to all", "mine to all"]);
  });

  test("for its sender a hidden message stays stored: it is never delivered, whatever the marker says", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await here(server, "vader");
    const { conversationId } = await vader.send("hans", "join me");
    const hans = await here(server, "hans");
    const mark = (seq: bigint) => hans.mark({ conversationId, deliveredSeq: seq, readSeq: seq });
    const seenByVader = async () => {
      const { conversations } = await vader.client.unary(
        vader.client.history,
        vader.client.history.listConversations,
        { pageSize: 0, pageToken: "", background: false },
      );
      const found = conversations.find((one) => one.conversationId === conversationId);
      return [found?.peerMarker?.deliveredSeq, found?.undelivered];
    };
    await hans.client.block("vader");
    await mark(1n);
    // While the block stands the marker stands still.
    expect(await seenByVader()).toEqual([0n, [{ fromSeq: 1n, toSeq: 1n }]]);
    await hans.client.unblock("vader");
    const told = await vader.stream.next("markersMoved", ({ user }) => user?.username === "hans");
    expect(told).toMatchObject({ deliveredSeq: 1n, undelivered: [{ fromSeq: 1n, toSeq: 1n }] });
    expect(await seenByVader()).toEqual([1n, [{ fromSeq: 1n, toSeq: 1n }]]);
    await vader.send("hans", "hello again");
    await mark(2n);
    const later = await vader.stream.next("markersMoved", ({ user }) => user?.username === "hans");
    expect(later).toMatchObject({ deliveredSeq: 2n, undelivered: [{ fromSeq: 1n, toSeq: 1n }] });
    // Nor was anything told of it before.
    expect(vader.stream.all("markersMoved").filter(({ user }) => user?.username === "hans")).toHaveLength(2);
  });

  test("markers are told to neither while the block stands", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    const { conversationId } = await hans.send("vader", "stay away");
    await hans.client.block("vader");
    await vader.mark({ conversationId, deliveredSeq: 1n, readSeq: 1n });
    await hans.client.unblock("vader");
    const told = await hans.stream.next("markersMoved", ({ user }) => user?.username === "vader");
    expect(told).toMatchObject({ deliveredSeq: 1n, readSeq: 1n });
    expect(hans.stream.all("markersMoved").filter(({ user }) => user?.username === "vader")).toHaveLength(1);
  });

  test("a broadcast reaches everyone online but its author and who blocks the author, who gets it named as omitted", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const yoda = await here(server, "yoda");
    const vader = await here(server, "vader");
    await hans.client.block("vader");
    expect(await vader.broadcast("I am your father")).toMatchObject({ withheld: true });
    expect(await yoda.stream.nextText()).toBe("I am your father");
    expect(await hans.stream.next("omitted")).toMatchObject({ fromSeq: 1n, toSeq: 1n });
    await yoda.broadcast("and so it goes");
    expect(await hans.stream.nextText()).toBe("and so it goes");
    // The stream that broadcast it has the ack; one that only follows is another of the author's streams.
    const isGiven = vader.stream.all("entryAppended").some((one) => textOf(one) === "I am your father");
    expect(transport.isConnect && isGiven).toBe(false);
  });

  test("what was broadcast during a block stays hidden after it, in backlog and history; what comes later is shown", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const vader = await here(server, "vader");
    await vader.broadcast("before");
    await hans.client.block("vader");
    await vader.broadcast("during");
    await hans.client.unblock("vader");
    const { conversationId } = await vader.broadcast("after");
    expect(await hans.stream.nextText()).toBe("before");
    expect(await hans.stream.next("omitted")).toMatchObject({ fromSeq: 2n, toSeq: 2n });
    expect(await hans.stream.nextText()).toBe("after");
    const expected = ["before", "-", "after"];
    expect(await backlog(transport, hans.client, conversationId)).toEqual(expected);
    expect(await hans.client.log({ $case: "conversationId", value: conversationId })).toEqual(expected);
  });

  test("the author is told in one word that not everyone gets a broadcast, only if somebody online blocks", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    const vader = await here(server, "vader");
    await hans.block("vader");
    expect(await vader.broadcast("nobody who blocks is here", 1n)).toMatchObject({ withheld: false });
    const stream = await transport.open(hans).caughtUp();
    expect(await vader.broadcast("now there is", 2n)).toMatchObject({ withheld: true });
    // One more who blocks makes no second notice, and a retry says the same as the first time.
    await (await server.logIn("leia")).block("vader");
    await hans.unblock("vader");
    expect(await vader.broadcast("now there is", 2n)).toMatchObject({ repeatedSend: true, withheld: true });
    expect(await vader.broadcast("nobody who blocks is here", 1n)).toMatchObject({ withheld: false });
    expect(stream.all("entryAppended")).toEqual([]);
  });
});
