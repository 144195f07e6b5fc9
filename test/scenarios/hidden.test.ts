// Scenarios of what a block hides: messages and broadcasts, in live events, in the backlog and in the history, for ever.
import { describe, expect, test } from "vitest";
import { type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { type Transport, transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

/** The entries of one conversation that a new stream receives: texts, and "-" for each seq that is omitted. */
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
  const { online } = transport;

  test("a block hides messages that were stored but not delivered, for ever, also after the unblock", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await online(server, "vader");
    const { conversationId } = await vader.send("hans", "join me");
    await vader.send("hans", "it is your destiny");
    const hans = await server.logIn("hans");
    await hans.block("vader");
    expect(await backlog(transport, hans, conversationId)).toEqual(["-", "-"]);
    expect(await hans.textsWith("vader")).toEqual(["-", "-"]);
    await hans.unblock("vader");
    await vader.send("hans", "I am here");
    expect(await backlog(transport, hans, conversationId)).toEqual(["-", "-", "I am here"]);
    await server.stop();
    await server.start();
    expect(await hans.textsWith("vader")).toEqual(["-", "-", "I am here"]);
    // The author still sees the messages.
    expect(await vader.client.textsWith("hans")).toEqual(["join me", "it is your destiny", "I am here"]);
  });

  test("a message that was delivered before the block stays visible", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await online(server, "vader");
    const hans = await online(server, "hans");
    const { conversationId } = await vader.send("hans", "seen");
    expect(await hans.stream.nextText()).toBe("seen");
    const marker = {
      conversationId,
      deliveredSeq: 1n,
      readSeq: 0n,
      deliveredTime: undefined,
      readTime: undefined,
    };
    await hans.setMarker(marker);
    await vader.send("hans", "not delivered");
    await hans.client.block("vader");
    await hans.send("vader", "go away");
    expect(await hans.client.textsWith("vader")).toEqual(["seen", "-", "go away"]);
  });

  test("a message that was delivered between two blocks stays visible", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await online(server, "vader");
    const hans = await online(server, "hans");
    const { conversationId } = await vader.send("hans", "one");
    await hans.client.block("vader");
    await hans.client.unblock("vader");
    await vader.send("hans", "two");
    await hans.setMarker({
      conversationId,
      deliveredSeq: 2n,
      readSeq: 2n,
      deliveredTime: undefined,
      readTime: undefined,
    });
    await vader.send("hans", "three");
    await hans.client.block("vader");
    await hans.client.unblock("vader");
    await vader.send("hans", "four");
    expect(await hans.client.textsWith("vader")).toEqual(["-", "two", "-", "four"]);
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

  test("a block hides nothing from the blocked user, and no messages of the blocker or of a third user", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const leia = await online(server, "leia");
    const vader = await online(server, "vader");
    const { conversationId } = await vader.send("hans", "his");
    await hans.send("vader", "mine");
    await leia.send("hans", "hers");
    await hans.client.block("vader");
    await vader.broadcast("his to all");
    await leia.broadcast("hers to all");
    const broadcasts = (await hans.broadcast("mine to all")).conversationId;
    expect(await backlog(transport, hans.client, conversationId)).toEqual(["-", "mine"]);
    expect(await hans.client.textsWith("vader")).toEqual(["-", "mine"]);
    expect(await vader.client.textsWith("hans")).toEqual(["his", "mine"]);
    expect(await hans.client.textsWith("leia")).toEqual(["hers"]);
    const all = { $case: "conversationId", value: broadcasts } as const;
    expect(await backlog(transport, hans.client, broadcasts)).toEqual(["-", "hers to all", "mine to all"]);
    expect(await hans.client.textsOf(all)).toEqual(["-", "hers to all", "mine to all"]);
    expect(await vader.client.textsOf(all)).toEqual(["his to all", "hers to all", "mine to all"]);
  });

  test("the sender sees a hidden message as stored and never as delivered, also when the marker passes it", async () => {
    await using server = await TestServer.start({ users: people });
    const vader = await online(server, "vader");
    const { conversationId } = await vader.send("hans", "join me");
    const hans = await online(server, "hans");
    const mark = (seq: bigint) =>
      hans.setMarker({
        conversationId,
        deliveredSeq: seq,
        readSeq: seq,
        deliveredTime: undefined,
        readTime: undefined,
      });
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
    // The sender does not see the marker rise during the block.
    expect(await seenByVader()).toEqual([0n, [{ fromSeq: 1n, toSeq: 1n }]]);
    await hans.client.unblock("vader");
    const afterUnblock = await vader.stream.next("markersMoved", ({ user }) => user?.username === "hans");
    expect(afterUnblock).toMatchObject({ deliveredSeq: 1n, undelivered: [{ fromSeq: 1n, toSeq: 1n }] });
    expect(await seenByVader()).toEqual([1n, [{ fromSeq: 1n, toSeq: 1n }]]);
    await vader.send("hans", "hello again");
    await mark(2n);
    const later = await vader.stream.next("markersMoved", ({ user }) => user?.username === "hans");
    expect(later).toMatchObject({ deliveredSeq: 2n, undelivered: [{ fromSeq: 1n, toSeq: 1n }] });
    // There were no other events about the marker.
    expect(vader.stream.all("markersMoved").filter(({ user }) => user?.username === "hans")).toHaveLength(2);
  });

  test("neither user receives the markers of the other during a block", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
    const { conversationId } = await hans.send("vader", "stay away");
    await hans.client.block("vader");
    await vader.setMarker({
      conversationId,
      deliveredSeq: 1n,
      readSeq: 1n,
      deliveredTime: undefined,
      readTime: undefined,
    });
    await hans.client.unblock("vader");
    const moved = await hans.stream.next("markersMoved", ({ user }) => user?.username === "vader");
    expect(moved).toMatchObject({ deliveredSeq: 1n, readSeq: 1n });
    expect(hans.stream.all("markersMoved").filter(({ user }) => user?.username === "vader")).toHaveLength(1);
  });

  test("a broadcast reaches all online users except its author and users who block the author, who receive Omitted", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const yoda = await online(server, "yoda");
    const vader = await online(server, "vader");
    await hans.client.block("vader");
    expect(await vader.broadcast("I am your father")).toMatchObject({ withheld: true });
    expect(await yoda.stream.nextText()).toBe("I am your father");
    expect(await hans.stream.next("omitted")).toMatchObject({ fromSeq: 1n, toSeq: 1n });
    await yoda.broadcast("and so it goes");
    expect(await hans.stream.nextText()).toBe("and so it goes");
    // A Connect stream receives the ack of its own broadcast and no entry.
    const receivedOwn = vader.stream
      .all("entryAppended")
      .some((appended) => textOf(appended) === "I am your father");
    expect(transport.isConnect && receivedOwn).toBe(false);
  });

  test("a broadcast during a block stays hidden after it, in the backlog and in the history; later ones are visible", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const vader = await online(server, "vader");
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
    expect(await hans.client.textsOf({ $case: "conversationId", value: conversationId })).toEqual(expected);
  });

  test("the ack says that a broadcast is withheld if a user blocks the author, online or not", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await server.logIn("hans");
    const vader = await online(server, "vader");
    expect(await vader.broadcast("no blocker", 3n)).toMatchObject({ withheld: false });
    await hans.block("vader");
    expect(await vader.broadcast("no blocker is online", 1n)).toMatchObject({ withheld: true });
    const stream = await transport.open(hans).caughtUp();
    expect(await vader.broadcast("a blocker is online", 2n)).toMatchObject({ withheld: true });
    // A second blocker and an unblock change nothing: a retry gets the first answer.
    await (await server.logIn("leia")).block("vader");
    await hans.unblock("vader");
    expect(await vader.broadcast("a blocker is online", 2n)).toMatchObject({
      repeatedSend: true,
      withheld: true,
    });
    expect(await vader.broadcast("no blocker", 3n)).toMatchObject({ withheld: false });
    expect(stream.all("entryAppended")).toEqual([]);
  });
});
