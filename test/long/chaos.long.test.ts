// Hundreds of faults under load: the server is killed, stopped for a while, restarted, and its connections are cut. Every
// acked message must be in the log once, at the acked seq and in the order of its sender, and readers must see it once.
import { expect, test } from "vitest";
import { delay } from "../../time/wait.ts";
import { Relay } from "../client/link/relay.ts";
import { ServerProcess } from "../support/server-process.ts";
import { logOf } from "./log-of.ts";
import { PipelinedSender } from "./pipelined-sender.ts";
import { ResumingReader } from "./resuming-reader.ts";

const FAULTS = 400;
const SENDERS = ["leia", "luke", "chewie", "lando"];
const READER = "han";

/** How often each fault happens, of 100. */
const faults = { kill: 60, restart: 10, stop: 10, cut: 20 } as const;
const LONGEST_LOAD_MS = 400;
const LONGEST_STOP_MS = 2_000;

test(`${FAULTS} faults lose, double and reorder nothing`, async () => {
  await using server = await ServerProcess.start([READER, ...SENDERS], "--presence-grace", "0");
  await using relay = await Relay.start(server.port);
  const senders = await Promise.all(
    SENDERS.map(async (name) => new PipelinedSender(name, await server.logIn(name, relay.port), READER)),
  );
  const reader = new ResumingReader(await server.logIn(READER, relay.port));
  const working = [reader.run(), ...senders.map((sender) => sender.run())];

  const counts: Record<string, number> = {};
  for (let fault = 0; fault < FAULTS; fault++) {
    await delay(Math.random() * LONGEST_LOAD_MS);
    const kind = chosen();
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (kind === "cut") relay.cut();
    else if (kind === "stop") await stopFor(server, Math.random() * LONGEST_STOP_MS);
    else {
      await server.kill(kind === "kill" ? "SIGKILL" : "SIGTERM");
      await server.start();
    }
  }
  for (const sender of senders) sender.finish();
  await Promise.all(working.slice(1));
  const heads = new Map(senders.map((sender) => [sender.conversationId, sender.head]));
  await reader.caughtUpWith(heads);
  reader.finish();
  await working[0];

  let acked = 0;
  for (const sender of senders) {
    const log = await logOf(sender.client, READER);
    expect(log).toEqual(log.map((_, index) => sender.text(BigInt(index + 1))));
    expect(log).toHaveLength(sender.acked.size);
    for (const [id, seq] of sender.acked) expect(log[Number(seq) - 1]).toBe(sender.text(id));
    // Every seq was named once to the reader, in order; most as an entry, a long absence as a gap.
    expect(reader.problems).toEqual([]);
    expect(reader.textsOf(sender.conversationId, log)).toBe(true);
    acked += sender.acked.size;
  }
  console.info(`chaos: ${JSON.stringify(counts)}, ${acked} messages acked`);
  for (const sender of senders) sender.client[Symbol.dispose]();
});

function chosen(): keyof typeof faults {
  let left = Math.random() * Object.values(faults).reduce((sum, weight) => sum + weight, 0);
  for (const [kind, weight] of Object.entries(faults)) {
    left -= weight;
    if (left < 0) return kind as keyof typeof faults;
  }
  return "kill";
}

async function stopFor(server: ServerProcess, ms: number): Promise<void> {
  server.signal("SIGSTOP");
  await delay(ms);
  server.signal("SIGCONT");
}
