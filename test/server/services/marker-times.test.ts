// The times of markers: when each value last rose, for the user and for the other user of a direct conversation.
import { expect, test } from "vitest";
import type { TestClient } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

function raise(client: TestClient, conversationId: string, deliveredSeq: bigint, readSeq: bigint) {
  // A time in a request is ignored.
  const time = new Date(1);
  const marker = { conversationId, deliveredSeq, readSeq, deliveredTime: time, readTime: time };
  return client.unary(client.chat, client.chat.setMarkers, { markers: [marker] });
}

async function conversation(client: TestClient, conversationId: string) {
  const target = { target: { $case: "conversationId", value: conversationId } as const };
  const request = { target, background: false };
  return (await client.unary(client.history, client.history.getConversation, request)).conversation;
}

test("each marker has the time at which it last rose, in events, in the history, and after a restart", async () => {
  const start = Date.UTC(2026, 0, 1);
  const clock = new ManualClock(start);
  const at = (seconds: number): Date => new Date(start + seconds * 1000);
  await using server = await TestServer.start({ users: ["leia", "han"], clock });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const { conversationId } = await leia.send("han", "one");
  await leia.send("han", "two");
  expect((await conversation(leia, conversationId))?.peerMarker).toMatchObject({
    deliveredTime: undefined,
    readTime: undefined,
  });
  using atLeia = await leia.connect().caughtUp();
  clock.advance(10_000);
  await raise(han, conversationId, 2n, 0n);
  const moved = { deliveredSeq: 2n, deliveredTime: at(10) };
  const first = await atLeia.next("markersMoved");
  expect(first).toMatchObject({ ...moved, readSeq: 0n, readTime: undefined });
  clock.advance(10_000);
  await raise(han, conversationId, 1n, 1n);
  expect(await atLeia.next("markersMoved")).toMatchObject({ ...moved, readSeq: 1n, readTime: at(20) });
  // A value at or below the stored one changes no time.
  clock.advance(10_000);
  await raise(han, conversationId, 2n, 1n);
  const stored = { conversationId, ...moved, readSeq: 1n, readTime: at(20) };
  expect((await conversation(leia, conversationId))?.peerMarker).toEqual(stored);
  expect((await conversation(han, conversationId))?.marker).toEqual(stored);
  await server.stop();
  await server.start();
  expect((await conversation(leia, conversationId))?.peerMarker).toEqual(stored);
  using backlog = await leia.connect().caughtUp();
  expect(backlog.all("markersMoved")).toContainEqual(
    expect.objectContaining({
      user: expect.objectContaining({ username: "han" }),
      ...moved,
      readTime: at(20),
    }),
  );
});

test("a read marker that raises delivered gives both the same time", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["leia", "han"], clock });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const { conversationId } = await leia.send("han", "one");
  await raise(han, conversationId, 0n, 1n);
  const now = new Date(clock.now());
  expect((await conversation(leia, conversationId))?.peerMarker).toMatchObject({
    deliveredTime: now,
    readTime: now,
  });
});

test("during a block the times that the other user sees do not change; after it, they are the current ones", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["leia", "han"], clock });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const { conversationId } = await leia.send("han", "one");
  await leia.send("han", "two");
  await raise(han, conversationId, 2n, 1n);
  const before = (await conversation(leia, conversationId))?.peerMarker;
  await han.block("leia");
  clock.advance(10_000);
  await raise(han, conversationId, 2n, 2n);
  expect((await conversation(leia, conversationId))?.peerMarker).toEqual(before);
  await han.unblock("leia");
  expect((await conversation(leia, conversationId))?.peerMarker).toMatchObject({
    readSeq: 2n,
    readTime: new Date(clock.now()),
    deliveredTime: before?.deliveredTime,
  });
});
