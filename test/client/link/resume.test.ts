// A link reconnects after every kind of failure, and hands out each entry once.
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { MemoryCursors } from "../../../client/link/model/cursors.ts";
import { GapKind } from "../../../gen/parley/chat/v1/entry.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { entry, FakeServer, hans, yoda } from "./fake-server.ts";
import { open, seqs } from "./fixture.ts";

function ending(
  reason: string,
  more: { retryDelayMs?: number; field?: string } = {},
  code = status.UNAVAILABLE,
): RpcError {
  return new RpcError({ code, reason, message: reason, ...more });
}

test("hello, welcome, backlog, caught up, live", async () => {
  await using server = await FakeServer.start();
  await using client = open(server, { client: { name: "test", version: "1", deviceName: "" } });
  const stream = await server.stream();
  expect(stream.token).toBe("token");
  expect(await stream.hello()).toEqual({
    client: { name: "test", version: "1", deviceName: "" },
    features: [],
    cursors: [],
    processId: "",
  });
  stream.welcome({ online: [yoda] });
  stream.entries(41, 42);
  stream.caughtUp();
  stream.send(entry(43), entry(44, { sender: hans }));
  expect(await client.next("welcome")).toMatchObject({ user: hans, serverId: "server-1", online: [yoda] });
  const entries = await client.entries(4);
  expect(entries.map(({ seq, live, mine, peer }) => [Number(seq), live, mine, peer?.username])).toEqual([
    [41, false, false, "yoda"],
    [42, false, false, "yoda"],
    [43, true, false, "yoda"],
    [44, true, true, "yoda"],
  ]);
  const phases = client.taken.flatMap((event) => (event.type === "state" ? [event.state.phase] : []));
  expect(phases).toEqual(["connecting", "catching-up", "live"]);
});

test("Hello has the process id of a program with private chats", async () => {
  await using server = await FakeServer.start();
  await using _client = open(server, { processId: "one of many" });
  const stream = await server.stream();
  expect(await stream.hello()).toMatchObject({ processId: "one of many" });
});

test("a link that was cut during the backlog resumes there, and hands out repeated entries once", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const first = await server.stream();
  await first.hello();
  first.welcome();
  first.entries(1, 5);
  first.entries(1, 2, "c3");
  expect(seqs(await client.entries(7))).toEqual([1, 2, 3, 4, 5, 1, 2]);
  server.relay.cut();
  expect(await client.phase("waiting")).toMatchObject({ cause: { code: status.UNAVAILABLE } });

  const second = await server.stream();
  expect((await second.hello()).cursors).toEqual([
    { conversationId: "c2", seq: 5n },
    { conversationId: "c3", seq: 2n },
  ]);
  second.welcome();
  second.entries(4, 7);
  second.caughtUp();
  second.entries(7, 8);
  expect(seqs(await client.entries(3))).toEqual([6, 7, 8]);
});

test("the link reconnects after a cut in the handshake, before Welcome, and while live", async () => {
  await using server = await FakeServer.start();
  server.relay.refusing = true;
  await using client = open(server);
  expect(await client.phase("waiting")).toMatchObject({ cause: { name: "ConnectError" } });
  server.relay.refusing = false;
  client.link.retryNow();
  await (await server.stream()).hello();
  server.relay.cut();
  await client.phase("waiting");
  await server.liveStream();
  await client.phase("live");
  server.relay.cut();
  await client.phase("waiting");
  await server.liveStream();
  await client.phase("live");
});

test("the link reconnects when the server does not answer Hello", async () => {
  await using server = await FakeServer.start();
  await using client = open(server, { welcomeTimeoutMs: 100 });
  await (await server.stream()).hello();
  await client.phase("waiting");
  server.answerStreams();
  await client.phase("live");
});

test("after missing entries the link resumes before them; omitted ranges and gaps are not missing", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const first = await server.liveStream();
  first.entries(1, 2);
  first.send({ $case: "omitted", value: { conversationId: "c2", fromSeq: 3n, toSeq: 4n } });
  first.send({
    $case: "gap",
    value: { conversationId: "c2", fromSeq: 5n, toSeq: 9n, kind: GapKind.FILLABLE },
  });
  first.entries(10, 10);
  expect(await client.next("omitted")).toMatchObject({ fromSeq: 3n, toSeq: 4n });
  expect(await client.next("gap")).toMatchObject({ fromSeq: 5n, toSeq: 9n, fillable: true });
  expect(seqs(await client.entries(1))).toEqual([10]);
  first.entries(12, 12);
  expect(await client.phase("waiting")).toMatchObject({ cause: { name: "BrokenStreamError" } });
  const second = await server.stream();
  expect((await second.hello()).cursors).toEqual([{ conversationId: "c2", seq: 10n }]);
  second.welcome();
  second.entries(11, 12);
  expect(seqs(await client.entries(2))).toEqual([11, 12]);
});

test("a range that overlaps known entries is handed out from its first new seq", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const stream = await server.liveStream();
  stream.entries(1, 3);
  stream.send({ $case: "omitted", value: { conversationId: "c2", fromSeq: 2n, toSeq: 5n } });
  expect(await client.next("omitted")).toMatchObject({ fromSeq: 4n, toSeq: 5n });
});

test("the link reconnects after broken frames and after a stream without Welcome", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const first = await server.stream();
  await first.hello();
  first.caughtUp();
  expect(await client.phase("waiting")).toMatchObject({
    cause: { message: expect.stringContaining("Welcome") },
  });
  const second = await server.liveStream();
  await client.phase("live");
  second.send({ $case: "entryAppended", value: { entry: undefined } });
  expect(await client.phase("waiting")).toMatchObject({ cause: { name: "BrokenStreamError" } });
  const third = await server.liveStream();
  await client.phase("live");
  third.sendGarbage();
  expect(await client.phase("waiting")).toMatchObject({
    cause: { message: expect.stringContaining("not a frame") },
  });
  await server.liveStream();
  await client.phase("live");
});

test("an ending with a retry delay is obeyed, and one without a delay ends the link", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const first = await server.liveStream();
  await client.phase("live");
  first.end(ending("SERVER_STOPPING", { retryDelayMs: 60_000 }));
  const state = await client.phase("waiting");
  if (state.phase !== "waiting") throw new Error("The link does not wait.");
  expect(state.retryTime.getTime() - Date.now()).toBeGreaterThan(50_000);
  client.link.retryNow();
  const second = await server.liveStream();
  second.end(ending("TOO_MANY_STREAMS"));
  expect(await client.phase("ended")).toMatchObject({
    ending: { kind: "refused", cause: { reason: "TOO_MANY_STREAMS" } },
  });
});

test.each(["STORE_UNAVAILABLE", "DATA_DAMAGED", "INTERNAL"])(
  "the link reconnects after a stream that could not open: %s",
  async (reason) => {
    await using server = await FakeServer.start();
    await using client = open(server);
    const more = reason === "INTERNAL" ? {} : { retryDelayMs: 1 };
    (await server.stream()).end(ending(reason, more, status.INTERNAL));
    await client.phase("waiting");
    client.link.retryNow();
    await server.liveStream();
    await client.phase("live");
  },
);

test("the link reconnects after statuses without details, which come from the network", async () => {
  await using server = await FakeServer.start();
  await using client = open(server);
  for (const code of [status.UNAVAILABLE, status.INTERNAL, status.UNKNOWN, status.RESOURCE_EXHAUSTED]) {
    const stream = await server.liveStream();
    await client.phase("live");
    stream.endBare(code);
    await client.phase("waiting");
  }
});

test.each(["TOKEN_INVALID", "SESSION_ENDED"])("%s ends the link as not logged in", async (reason) => {
  await using server = await FakeServer.start();
  await using client = open(server);
  const sending = client.link.send({ kind: "user", username: "yoda" }, "never");
  (await server.stream()).end(ending(reason, {}, status.UNAUTHENTICATED));
  expect(await client.phase("ended")).toMatchObject({ ending: { kind: "not-logged-in", cause: { reason } } });
  await expect(sending.done).rejects.toThrow("link ended");
  await expect(client.next("state")).rejects.toThrow("The link ended");
});

test("a refused cursor is reported and forgotten, and the entries of its conversation come again", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  cursors.raise([at("c2", 7n), at("c3", 9n)]);
  await using client = open(server, { cursors });
  const first = await server.stream();
  const index = (await first.hello()).cursors.findIndex(({ conversationId }) => conversationId === "c2");
  first.end(
    ending("CURSOR_BEYOND_HEAD", { field: `commands[0].hello.cursors[${index}].seq` }, status.OUT_OF_RANGE),
  );
  expect(await client.next("reset")).toMatchObject({ conversationId: "c2", cause: "cursor-refused" });
  const second = await server.stream();
  expect((await second.hello()).cursors).toEqual([{ conversationId: "c3", seq: 9n }]);
  second.welcome();
  second.entries(1, 2);
  expect(seqs(await client.entries(2))).toEqual([1, 2]);
  expect(cursors.load().map(({ conversationId }) => conversationId)).toContain("c3");
});

test("when the server has other data, the link forgets its cursors and starts again", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  cursors.raise([at("c2", 7n)]);
  await using client = open(server, { cursors, serverId: "server-1" });
  const first = await server.stream();
  await first.hello();
  first.welcome({ serverId: "server-2" });
  expect(await client.next("reset")).toMatchObject({ conversationId: undefined, cause: "server-changed" });
  expect(cursors.load()).toEqual([]);
  const second = await server.stream();
  expect((await second.hello()).cursors).toEqual([]);
  second.welcome({ serverId: "server-2" });
  expect(await client.next("welcome")).toMatchObject({ serverId: "server-2" });
});

test("a range that was skipped because Hello had no room for its cursor is reported as a gap", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  cursors.raise([at("c2", 7n)]);
  cursors.raise([at("c3", 1n)]);
  await using client = open(server, { cursors });
  const first = await server.stream();
  await first.hello();
  const limits = {
    maxContentBytes: 1,
    maxRequestBytes: 1,
    maxCommandsPerRequest: 1,
    maxStreamsPerSession: 1,
    idleTimeout: undefined,
    maxCallsPerSecond: 100,
    maxOnlineSessions: 8,
  };
  first.welcome({ limits: { ...limits, maxCursors: 1 } });
  await client.next("welcome");
  server.relay.cut();
  const second = await server.stream();
  expect((await second.hello()).cursors).toEqual([{ conversationId: "c3", seq: 1n }]);
  second.welcome();
  second.entries(100, 101);
  expect(await client.next("gap")).toMatchObject({
    conversationId: "c2",
    fromSeq: 8n,
    toSeq: 99n,
    fillable: true,
  });
  expect(seqs(await client.entries(2))).toEqual([100, 101]);
});

test("cursors are stored only for entries that the reader has taken", async () => {
  await using server = await FakeServer.start();
  const cursors = new MemoryCursors();
  {
    await using client = open(server, { cursors });
    const stream = await server.liveStream();
    stream.entries(1, 5);
    await client.entries(3);
  }
  // The reader did not ask for an event after the third entry, so it may not have finished with that entry.
  expect(cursors.load()).toMatchObject([{ conversationId: "c2", seq: 2n, kind: "direct", peer: yoda }]);
});

test("with receiveOnly the link uses Follow and cannot send", async () => {
  await using server = await FakeServer.start();
  await using client = open(server, { receiveOnly: true });
  const stream = await server.stream();
  await stream.hello();
  stream.welcome();
  stream.caughtUp();
  stream.entries(1, 1);
  expect(seqs(await client.entries(1))).toEqual([1]);
  expect(() => client.link.send({ kind: "broadcast" }, "no")).toThrow("only receives");
});

function at(conversationId: string, seq: bigint) {
  return { conversationId, seq, kind: "unknown", peer: undefined, deliveredSeq: 0n, readSeq: 0n } as const;
}
