// Two million messages at full speed: each acked, delivered once and in order, and in the log after a restart.
import { expect, test } from "vitest";
import { ServerProcess } from "../support/server-process.ts";
import { logOf } from "./log-of.ts";
import { PipelinedSender } from "./pipelined-sender.ts";
import { ResumingReader } from "./resuming-reader.ts";

const MESSAGES = 2_000_000;
const SENDERS = Array.from({ length: 20 }, (_, index) => `sender${index}`);
const READER = "reader";

test(`${MESSAGES} messages are acked, delivered once and kept`, async () => {
  await using server = await ServerProcess.start([READER, ...SENDERS], "--call-rate", "1000000");
  const senders = await Promise.all(
    SENDERS.map(async (name) => new PipelinedSender(name, await server.logIn(name), READER)),
  );
  const reader = new ResumingReader(await server.logIn(READER));
  const reading = reader.run();
  const sending = senders.map((sender) => sender.run(MESSAGES / SENDERS.length));
  await Promise.all(sending);
  await reader.caughtUpWith(new Map(senders.map((sender) => [sender.conversationId, sender.head])));
  reader.finish();
  await reading;
  expect(reader.problems).toEqual([]);

  await server.kill("SIGKILL");
  await server.start();
  for (const sender of senders) {
    const log = await logOf(sender.client, READER);
    expect(log).toHaveLength(MESSAGES / SENDERS.length);
    expect(log.every((text, index) => text === sender.text(BigInt(index + 1)))).toBe(true);
    expect([...sender.acked].every(([id, seq]) => id === seq)).toBe(true);
    expect(reader.textsOf(sender.conversationId, log)).toBe(true);
    sender.client[Symbol.dispose]();
  }
});
