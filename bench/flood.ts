// Measures what floods of a stranger cost the others: the peak memory of the server, and how long the messages of an
// honest chat take meanwhile. Each flood runs in a process of its own, without a token, against a new server.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { delay } from "../time/wait.ts";
import { openStream, type Stream } from "./direct-messages.ts";
import { floods } from "./floods.ts";
import { ServerProcess } from "./measure.ts";
import { readCommandLine } from "./usage.ts";

const ENTRY_APPENDED = 0x2a;
const SEND_EVERY_MS = 20;

const all = ["none", ...Object.keys(floods)];
const { numbers, words } = readCommandLine({
  command: "npm run bench:flood --",
  what: "Measures what floods of a stranger cost the others: memory of the server, and times of messages.",
  flags: { seconds: 8 },
  words: all,
});
const { seconds } = numbers;
const chosen = words.length === 0 ? all : words;
console.log(`${seconds} s each, plaintext on loopback; times of the messages of one chat, ms`);
console.log(`${"flood".padEnd(16)}    p50    p99    max   peak RSS  afterwards`);
for (const name of chosen) console.log(await run(name));

async function run(name: string): Promise<string> {
  await using server = await ServerProcess.start(new URL("./parley-server.ts", import.meta.url), "1");
  const times: number[] = [];
  const waiting: number[] = [];
  const address = `127.0.0.1:${server.port}`;
  let receiver: Stream | undefined;
  let sender: Stream | undefined;
  let flood: ChildProcess | undefined;
  try {
    receiver = await openStream(address, "receiver0", (kind) => {
      const sent = kind === ENTRY_APPENDED ? waiting.shift() : undefined;
      if (sent !== undefined) times.push(performance.now() - sent);
    });
    await receiver.caughtUp;
    sender = await openStream(address, "sender0", () => undefined);
    await sender.caughtUp;
    if (name !== "none") {
      flood = fork(new URL("./floods.ts", import.meta.url), [name, String(server.port)]);
      await once(flood, "message");
    }
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      waiting.push(performance.now());
      sender.send("receiver0");
      await delay(SEND_EVERY_MS);
    }
    flood?.kill();
    const slowest = performance.now() + 10_000;
    while (waiting.length > 0 && performance.now() < slowest) await delay(50);
    const [peak, now] = await memoryOf(server.pid);
    times.push(...waiting.map((sent) => performance.now() - sent));
    times.sort((a, b) => a - b);
    const at = (part: number): string =>
      (times[Math.floor((times.length - 1) * part)] ?? 0).toFixed(1).padStart(6);
    return `${name.padEnd(16)} ${at(0.5)} ${at(0.99)} ${at(1)} ${peak.padStart(6)} MiB ${now.padStart(6)} MiB`;
  } catch (error) {
    return `${name.padEnd(16)} the server ended or refused the chat: ${String(error)}`;
  } finally {
    flood?.kill();
    receiver?.close();
    sender?.close();
  }
}

/** The peak and the present memory of a process of Linux, MiB. */
async function memoryOf(pid: number): Promise<[string, string]> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const read = (name: string): string => {
    const match = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text);
    return match === null ? "gone" : Math.round(Number(match[1]) / 1024).toFixed(0);
  };
  return [read("VmHWM"), read("VmRSS")];
}
