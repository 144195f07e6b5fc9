// Promise 3: a conversation has one order, the same for every reader and without a gap. Entries that a reader may not see are
// announced.
import { expect, test } from "vitest";
import { type TestStream, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";

const names = ["leia", "han", "luke", "chewie"];

test("all readers receive the messages of several senders in the same order", async () => {
  await using server = await TestServer.start({ users: names });
  const clients = await Promise.all([...names, ...names].map((name) => server.logIn(name)));
  const streams = await Promise.all(clients.map((client) => client.connect().caughtUp()));
  const each = 40;
  for (let round = 0; round < each; round++) {
    for (const [index, stream] of streams.entries()) {
      const clientMessageId = clients[index]?.nextId() ?? 0n;
      stream.write({
        kind: {
          $case: "broadcast",
          value: { clientMessageId, content: { kind: { $case: "text", value: `${index}/${round}` } } },
        },
      });
    }
  }
  const total = each * streams.length;
  const views = await Promise.all(
    streams.map(async (stream) => {
      const seen = new Map<bigint, string>();
      for (const event of stream.events) note(event);
      function note(event: (typeof stream.events)[number]): void {
        if (event.kind?.$case === "ack") seen.set(event.kind.value.seq, "own");
        else if (event.kind?.$case === "entryAppended")
          seen.set(event.kind.value.entry?.seq ?? 0n, textOf(event.kind.value));
      }
      let read = stream.events.length;
      while (seen.size < total) {
        await stream.change();
        for (; read < stream.events.length; read++) note(stream.events[read] ?? { kind: undefined });
      }
      return seen;
    }),
  );
  const history = await clients[0]?.unary(clients[0].history, clients[0].history.listMessages, {
    target: { target: { $case: "conversationId", value: "c1" } },
    fromSeq: 0n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    pageSize: 500,
    pageToken: "",
    background: false,
  });
  const log = (history?.items ?? []).map((item) =>
    item.item?.$case === "entry" ? textOf({ entry: item.item.value }) : "",
  );
  expect(log).toHaveLength(total);
  for (const [index, view] of views.entries()) {
    expect([...view.keys()]).toEqual(Array.from({ length: total }, (_, i) => BigInt(i + 1)));
    for (const [seq, text] of view) {
      expect(
        text === "own" ? log[Number(seq) - 1]?.startsWith(`${index}/`) : text === log[Number(seq) - 1],
      ).toBe(true);
    }
  }
  // The messages of each sender are in the order in which they were sent.
  for (const index of streams.keys()) {
    const own = log.filter((text) => text.startsWith(`${index}/`));
    expect(own).toEqual(Array.from({ length: each }, (_, round) => `${index}/${round}`));
  }
});

test("broadcasts during which a user was offline are announced as omitted, on a stream and in the history", async () => {
  await using server = await TestServer.start({ users: names });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using first = await han.connect().caughtUp();
  await leia.broadcast("one, han is here");
  expect(await first.nextText()).toBe("one, han is here");
  first.call.cancel();
  using watcher = await leia.connect().caughtUp();
  await offline(watcher, "han");
  await leia.broadcast("two, han is away");
  await leia.broadcast("three, han is away");
  using second = han.connect({ cursors: [{ conversationId: "c1", seq: 1n }] });
  const omitted = await second.next("omitted");
  expect(omitted).toEqual({ conversationId: "c1", fromSeq: 2n, toSeq: 3n });
  await second.caughtUp();
  await leia.broadcast("four, han is back");
  expect(await second.nextText()).toBe("four, han is back");
  const page = await han.unary(han.history, han.history.listMessages, {
    target: { target: { $case: "conversationId", value: "c1" } },
    fromSeq: 0n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    pageSize: 0,
    pageToken: "",
    background: false,
  });
  expect(page.items.map((item) => item.item?.$case)).toEqual(["entry", "omitted", "entry"]);
});

async function offline(watcher: TestStream, username: string): Promise<void> {
  await watcher.next("presenceChanged", (change) =>
    change.wentOffline.some((user) => user.username === username),
  );
}
