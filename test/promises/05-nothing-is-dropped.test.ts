// Promises 5 and 6: a reader that is too slow catches up from the store, and costs bounded memory.
import { expect, test } from "vitest";
import { limits } from "../../server/limits.ts";
import { TestServer } from "../support/server.ts";

const text = "x".repeat(8_000);

test("a reader that pauses receives every entry in order", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using reading = await han.connect().caughtUp();
  using sending = await leia.connect().caughtUp();
  reading.call.pause();
  // More than all buffers between the two can contain, and fewer than the backlog sends without a gap.
  const total =
    Math.min(limits.backlogPerConversation, Math.ceil((4 * limits.outboxHardBytes) / text.length)) - 20;
  for (let index = 0; index < total; index++) sending.send("han", `${index} ${text}`);
  for (let index = 0; index < total; index++) await sending.next("ack");
  reading.call.resume();
  for (let index = 1; index <= total; index++) {
    const { entry } = await reading.next("entryAppended");
    expect(entry?.seq).toBe(BigInt(index));
  }
  expect(reading.all("gap")).toEqual([]);
});

test("a reader that falls far behind receives a gap for the oldest entries, and the other entries", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  using reading = await han.connect().caughtUp();
  using sending = await leia.connect().caughtUp();
  reading.call.pause();
  const total = 1_500;
  for (let index = 0; index < total; index++) sending.send("han", `${index} ${text}`);
  for (let index = 0; index < total; index++) await sending.next("ack");
  reading.call.resume();
  await reading.next("entryAppended", ({ entry }) => entry?.seq === BigInt(total));
  let next = 1n;
  for (const { kind } of reading.events) {
    if (kind?.$case === "entryAppended") {
      expect(kind.value.entry?.seq).toBe(next);
      next++;
    } else if (kind?.$case === "gap") {
      expect(kind.value.fromSeq).toBe(next);
      next = kind.value.toSeq + 1n;
    }
  }
  expect(next).toBe(BigInt(total + 1));
  expect(reading.all("gap").length).toBeGreaterThan(0);
});
