// Promise 4: resume works after any time away, from the log. Entries that are not pushed are announced.
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { GapKind } from "../../gen/parley/chat/v1/entry.ts";
import type { Event } from "../../gen/parley/chat/v1/event.ts";
import { type TestClient, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";

/** The seqs and ranges of a conversation that the stream received up to CaughtUp, in order. */
function receivedOf(events: readonly Event[], conversationId: string): string[] {
  const received: string[] = [];
  for (const { kind } of events) {
    if (kind?.$case === "caughtUp") break;
    if (kind?.$case === "entryAppended" && kind.value.entry?.conversationId === conversationId) {
      received.push(String(kind.value.entry.seq));
    }
    if (
      (kind?.$case === "gap" || kind?.$case === "omitted") &&
      kind.value.conversationId === conversationId
    ) {
      received.push(`${kind.$case} ${kind.value.fromSeq}-${kind.value.toSeq}`);
    }
  }
  return received;
}

async function sendMany(client: TestClient, to: string, count: number): Promise<string> {
  using stream = await client.connect().caughtUp();
  for (let index = 1; index <= count; index++) stream.send(to, `message ${index}`);
  const acks = await Promise.all(Array.from({ length: count }, () => stream.next("ack")));
  return acks[0]?.conversationId ?? "";
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

test("a reader receives the entries above its cursor, or the last 50 without a cursor", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const conversationId = await sendMany(leia, "han", 120);
  for (const cursor of [0, 1, 60, 119, 120]) {
    using stream = await han.connect({ cursors: [{ conversationId, seq: BigInt(cursor) }] }).caughtUp();
    expect(receivedOf(stream.events, conversationId)).toEqual(range(cursor + 1, 120));
  }
  using stream = await han.follow().caughtUp();
  expect(receivedOf(stream.events, conversationId)).toEqual(range(71, 120));
});

test("a reader that missed more than 500 entries receives a gap and the newest 500; the history has the rest", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const conversationId = await sendMany(leia, "han", 530);
  using stream = await han.connect({ cursors: [{ conversationId, seq: 10n }] }).caughtUp();
  expect(receivedOf(stream.events, conversationId)).toEqual(["gap 11-30", ...range(31, 530)]);
  expect(stream.all("gap")[0]?.kind).toBe(GapKind.FILLABLE);
  const texts: string[] = [];
  for (let pageToken = ""; ; ) {
    const page = await han.unary(han.history, han.history.listMessages, {
      target: { target: { $case: "conversationId", value: conversationId } },
      fromSeq: 11n,
      toSeq: 30n,
      fromTime: undefined,
      toTime: undefined,
      order: 0,
      pageSize: 7,
      pageToken,
      background: false,
    });
    for (const { item } of page.items) if (item?.$case === "entry") texts.push(textOf({ entry: item.value }));
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  expect(texts).toEqual(range(11, 30).map((seq) => `message ${seq}`));
});

test("entries that are no longer in the log are announced as gone", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const conversationId = await sendMany(leia, "han", 9);
  {
    using database = new DatabaseSync(server.databaseFile);
    database.exec("DELETE FROM entries WHERE seq IN (1, 2, 5) AND conversation_id <> 1");
  }
  using stream = await han.connect({ cursors: [{ conversationId, seq: 0n }] }).caughtUp();
  expect(receivedOf(stream.events, conversationId)).toEqual([
    "gap 1-2",
    "3",
    "4",
    "gap 5-5",
    "6",
    "7",
    "8",
    "9",
  ]);
  expect(stream.all("gap").every((gap) => gap.kind === GapKind.GONE)).toBe(true);
});

test("a reader that reconnects again and again while messages arrive receives each once", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const first = await leia.send("han", "first");
  using sending = await leia.connect().caughtUp();
  let cursor = 0n;
  const total = 400;
  for (let index = 2; index <= total; index++) sending.send("han", `message ${index}`);
  while (cursor < BigInt(total)) {
    using stream = han.connect({ cursors: [{ conversationId: first.conversationId, seq: cursor }] });
    const until = cursor + 1n + BigInt(Math.floor(Math.random() * 40));
    while (cursor < until && cursor < BigInt(total)) {
      const { entry } = await stream.next("entryAppended");
      expect(entry?.seq).toBe(cursor + 1n);
      cursor = entry?.seq ?? 0n;
    }
  }
});

test("a cursor that the log cannot have is refused, and the refusal names it", async () => {
  await using server = await TestServer.start({ users: ["leia", "han", "luke"] });
  const leia = await server.logIn("leia");
  const { conversationId } = await leia.send("han", "hello");
  const cases = [
    {
      client: leia,
      cursor: { conversationId, seq: 2n },
      reason: "CURSOR_BEYOND_HEAD",
      field: "hello.cursors[0].seq",
    },
    {
      client: leia,
      cursor: { conversationId, seq: 2n ** 64n - 1n },
      reason: "CURSOR_BEYOND_HEAD",
      field: "hello.cursors[0].seq",
    },
    {
      client: await server.logIn("luke"),
      cursor: { conversationId, seq: 0n },
      reason: "CONVERSATION_NOT_FOUND",
      field: "hello.cursors[0].conversation_id",
    },
    {
      client: leia,
      cursor: { conversationId: "nonsense", seq: 0n },
      reason: "CONVERSATION_NOT_FOUND",
      field: "hello.cursors[0].conversation_id",
    },
  ];
  for (const { client, cursor, reason, field } of cases) {
    using stream = client.connect({ cursors: [cursor] });
    expect(await stream.ended).toMatchObject({ reason, field });
  }
});

test("resume works across a restart of the server", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  const { conversationId } = await leia.send("han", "before");
  using before = await han.connect().caughtUp();
  await server.stop();
  expect(await before.ended).toMatchObject({ reason: "SERVER_STOPPING" });
  expect((await before.ended)?.retryDelayMs).toBeGreaterThan(0);
  await server.start();
  await leia.send("han", "after");
  using after = han.connect({ cursors: [{ conversationId, seq: 1n }] });
  expect(await after.nextText()).toBe("after");
});
