// Promise 2, with faults: after the server is killed, each acked message is stored once and in order, and each retried message
// at most once.
import { expect, test } from "vitest";
import { type TestClient, textOf } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";

const KILLS = 8;
const SENDERS = ["leia", "luke", "chewie"];

/** Sends a message again and again until it is acked. @returns its seq */
async function sendUntilAcked(client: TestClient, text: string, clientMessageId: bigint): Promise<bigint> {
  for (;;) {
    try {
      return (await client.send("han", text, clientMessageId)).seq;
    } catch (error) {
      if ((error as { reason?: string }).reason !== "") throw error;
      // The connection was lost, and the message may be stored: it is sent again with the same id.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

test("a server that is killed again and again loses no acked message and stores none twice", {
  timeout: 120_000,
}, async () => {
  await using server = await ServerProcess.start(["han", ...SENDERS], "--presence-grace", "0");
  const clients = await Promise.all(SENDERS.map((name) => server.logIn(name)));
  const acked = new Map<string, bigint>();
  let hasEnded = false;
  const sending = clients.map(async (client, sender) => {
    for (let count = 1; !hasEnded; count++) {
      const text = `${SENDERS[sender]} ${count}`;
      acked.set(text, await sendUntilAcked(client, text, BigInt(count)));
    }
  });
  for (let kill = 0; kill < KILLS; kill++) {
    const before = acked.size;
    // The number of acks grows, so that the kills hit different moments of the work.
    while (acked.size < before + 20 + kill * 7) await new Promise((resolve) => setImmediate(resolve));
    await server.kill("SIGKILL");
    await server.start();
  }
  hasEnded = true;
  await Promise.all(sending);

  for (const [sender, client] of clients.entries()) {
    const log: string[] = [];
    for (let pageToken = ""; ; ) {
      const page = await client.unary(client.history, client.history.listMessages, {
        target: { target: { $case: "username", value: "han" } },
        fromSeq: 0n,
        toSeq: 0n,
        fromTime: undefined,
        toTime: undefined,
        order: 0,
        pageSize: 500,
        pageToken,
        background: false,
      });
      for (const { item } of page.items)
        log.push(item?.$case === "entry" ? textOf({ entry: item.value }) : "missing");
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    // Each message was acked before the next was sent, so the log has exactly these, in this order and at the acked seq.
    expect(log).toEqual(log.map((_, index) => `${SENDERS[sender]} ${index + 1}`));
    const own = [...acked].filter(([text]) => text.startsWith(`${SENDERS[sender]} `));
    expect(log).toHaveLength(own.length);
    for (const [text, seq] of own) expect(log[Number(seq) - 1]).toBe(text);
    client[Symbol.dispose]();
  }
});

test("SIGTERM ends streams with a reason and a retry delay, and the process within 5 s", async () => {
  await using server = await ServerProcess.start(["han", "leia"]);
  using leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  stream.send("han", "before the end");
  await stream.next("ack");
  const started = performance.now();
  expect(await server.kill("SIGTERM")).toBe(0);
  expect(performance.now() - started).toBeLessThan(5_000);
  const ending = await stream.ended;
  expect(ending).toMatchObject({ reason: "SERVER_STOPPING" });
  expect(ending?.retryDelayMs).toBeGreaterThan(0);
});
