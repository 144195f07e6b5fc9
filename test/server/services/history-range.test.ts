// Ranges of ListMessages: by time, by seq, and those that are refused.
import { expect, test } from "vitest";
import type { ListMessagesRequest } from "../../../gen/parley/chat/v1/history_service.ts";
import { type TestClient, textOf } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { TestServer } from "../../support/server.ts";

const toHan = { target: { $case: "username", value: "han" } } as const;

function list(client: TestClient, range: Partial<ListMessagesRequest>) {
  return client.unary(client.history, client.history.listMessages, {
    target: toHan,
    fromSeq: 0n,
    toSeq: 0n,
    fromTime: undefined,
    toTime: undefined,
    order: 0,
    pageSize: 0,
    pageToken: "",
    background: false,
    ...range,
  });
}

async function texts(client: TestClient, range: Partial<ListMessagesRequest>): Promise<string> {
  const { items } = await list(client, range);
  return items.map(({ item }) => (item?.$case === "entry" ? textOf({ entry: item.value }) : "-")).join("");
}

/** A server on which leia sends the texts 0, 1, 2 … to han, ten seconds apart from each other. */
async function tenSecondsApart(count: number) {
  const start = Date.UTC(2026, 0, 1);
  const clock = new ManualClock(start);
  const server = await TestServer.start({ users: ["leia", "han"], clock });
  const leia = await server.logIn("leia");
  for (let index = 0; index < count; index++) {
    await leia.send("han", String(index));
    clock.advance(10_000);
  }
  const at = (seconds: number): Date => new Date(start + seconds * 1000);
  return { server, clock, leia, at };
}

test("a range of times begins at its start and ends before its end", async () => {
  const { server, leia, at } = await tenSecondsApart(6);
  await using _server = server;
  expect(await texts(leia, { fromTime: at(20) })).toBe("2345");
  expect(await texts(leia, { fromTime: at(20.001) })).toBe("345");
  expect(await texts(leia, { toTime: at(20) })).toBe("01");
  expect(await texts(leia, { toTime: at(20.001) })).toBe("012");
  expect(await texts(leia, { fromTime: at(10), toTime: at(40) })).toBe("123");
  expect(await texts(leia, { fromTime: at(10), toTime: at(10) })).toBe("");
  expect(await texts(leia, { fromTime: at(-1_000) })).toBe("012345");
  expect(await texts(leia, { fromTime: at(1_000) })).toBe("");
  expect(await texts(leia, { toTime: at(0) })).toBe("");
  expect(await texts(leia, { toTime: at(1_000) })).toBe("012345");
  expect(await texts(leia, { fromTime: new Date(-1) })).toBe("012345");
  // With bounds of seq, both hold.
  expect(await texts(leia, { fromTime: at(10), fromSeq: 4n, toSeq: 5n })).toBe("34");
  expect(await texts(leia, { fromTime: at(30), fromSeq: 1n, toSeq: 5n })).toBe("34");
});

test("the pages of a range of times do not change when messages arrive", async () => {
  const { server, leia, at } = await tenSecondsApart(7);
  await using _server = server;
  const range = { fromTime: at(10), toTime: at(60), pageSize: 2 };
  for (const order of [1, 2] as const) {
    const pages: string[] = [];
    for (let pageToken = ""; ; ) {
      const page = await list(leia, { ...range, order, pageToken });
      pages.push(await texts(leia, { ...range, order, pageToken }));
      await leia.send("han", "later");
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
      const other = list(leia, { ...range, order, pageToken, toTime: at(50) });
      await expect(other).rejects.toMatchObject({ reason: "PAGE_TOKEN_INVALID" });
    }
    expect(pages).toEqual(order === 1 ? ["12", "34", "5"] : ["45", "23", "1"]);
  }
});

test("with a clock that was set back, a range of times begins where the log passes the time", async () => {
  const { server, clock, leia, at } = await tenSecondsApart(4);
  await using _server = server;
  clock.setWallClock(at(5).getTime());
  await leia.send("han", "4");
  const found = await texts(leia, { fromTime: at(20) });
  expect(["234", ""]).toContain(found);
});

test.each<[string, Partial<ListMessagesRequest>, string]>([
  ["an inverted range", { fromSeq: 3n, toSeq: 2n }, "to_seq"],
  ["an inverted range beyond the head", { fromSeq: 2n ** 64n - 1n, toSeq: 2n ** 63n }, "to_seq"],
  ["an inverted range of times", { fromTime: new Date(2), toTime: new Date(1) }, "to_time"],
  ["an unknown order", { order: 3 as never }, "order"],
  ["a negative order", { order: -1 }, "order"],
])("%s is refused", async (_, range, field) => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  await expect(list(leia, range)).rejects.toMatchObject({ reason: "INVALID_FIELD", field });
  await leia.send("han", "hello");
  await expect(list(leia, range)).rejects.toMatchObject({ reason: "INVALID_FIELD", field });
});

test("a range beyond the head has no item", async () => {
  const { server, leia } = await tenSecondsApart(2);
  await using _server = server;
  expect(await texts(leia, { fromSeq: 3n })).toBe("");
  expect(await texts(leia, { fromSeq: 3n, toSeq: 9n })).toBe("");
  expect(await texts(leia, { fromSeq: 2n ** 64n - 1n })).toBe("");
  expect(await texts(leia, { fromSeq: 2n, toSeq: 2n ** 64n - 1n })).toBe("1");
});
