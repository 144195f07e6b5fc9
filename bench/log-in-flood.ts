// Floods a server with log-ins for invented names, and measures who gets in meanwhile, and how long messages take.
//
// The flood, the users and the server share the machine, so compare figures of one machine only.
import { fork } from "node:child_process";
import { once } from "node:events";
import http2 from "node:http2";
import { connect } from "node:net";
import { type DeviceKey, LogInRequest, LogInResponse } from "../gen/parley/chat/v1/auth_service.ts";
import { delay } from "../time/wait.ts";
import { ENTRY_APPENDED, openStream, type Stream } from "./direct-messages.ts";
import { ServerProcess } from "./measure.ts";
import { readCommandLine } from "./usage.ts";

const { numbers } = readCommandLine({
  command: "npx node bench/log-in-flood.ts",
  what: "Floods a server with log-ins for invented names, and measures who gets in meanwhile, and how long messages take.",
  flags: { connections: 60, callers: 1, addresses: 1, seconds: 10 },
});
const { connections, callers, addresses, seconds } = numbers;
/** Pairs that chat, and the messages of one pair each second. */
const PAIRS = 10;
const RATE = 20;
const ATTEMPTS = 12;

await using server = await ServerProcess.start(new URL("./parley-server.ts", import.meta.url), "30");
const address = `127.0.0.1:${server.port}`;

interface Pair {
  readonly sender: Stream;
  readonly receiver: Stream;
  /** The times at which the messages that have not arrived were sent. */
  readonly sent: number[];
}

const latencies: number[] = [];

async function openPair(pair: number): Promise<Pair> {
  const sent: number[] = [];
  const receiver = await openStream(address, `receiver${pair}`, (kind) => {
    if (kind === ENTRY_APPENDED) latencies.push(performance.now() - (sent.shift() ?? Number.NaN));
  });
  const sender = await openStream(address, `sender${pair}`, () => undefined);
  await Promise.all([receiver.caughtUp, sender.caughtUp]);
  return { sender, receiver, sent };
}

function percentile(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(1);
}

async function chat(name: string, pairs: readonly Pair[], during: Promise<unknown>): Promise<void> {
  latencies.length = 0;
  const timers = pairs.map(({ sender, sent }, pair) =>
    setInterval(() => {
      sent.push(performance.now());
      sender.send(`receiver${pair}`);
    }, 1000 / RATE),
  );
  await during;
  for (const timer of timers) clearInterval(timer);
  const sorted = latencies.toSorted((a, b) => a - b);
  const [p50, p99, most] = [0.5, 0.99, 1].map((part) => percentile(sorted, part));
  console.log(`${name}: ${sorted.length} messages, p50 ${p50} ms, p99 ${p99} ms, longest ${most} ms`);
}

/** One log-in on a connection of its own. @returns the device; undefined if it was refused */
async function logIn(
  localAddress: string,
  username: string,
  device?: DeviceKey,
): Promise<DeviceKey | undefined> {
  const session = http2.connect(`http://${address}`, {
    createConnection: () => connect({ port: server.port, host: "127.0.0.1", localAddress }),
  });
  try {
    const message = LogInRequest.encode({
      username,
      password: "a bench password",
      device,
      client: undefined,
    }).finish();
    const frame = Buffer.alloc(5 + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    const stream = session.request({
      ":method": "POST",
      ":path": "/parley.chat.v1.AuthService/LogIn",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(frame);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks);
    return answer.length === 0 ? undefined : LogInResponse.decode(answer.subarray(5)).grant?.device;
  } finally {
    session.destroy();
  }
}

/** Tries to log in at an even pace. A refused attempt is not repeated. */
async function tryLogIns(name: string, attempt: (index: number) => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  let succeeded = 0;
  for (let index = 0; index < ATTEMPTS; index++) {
    const start = performance.now();
    if ((await attempt(index)) !== undefined) succeeded++;
    times.push(performance.now() - start);
    await delay(Math.max(0, (seconds * 800) / ATTEMPTS - (performance.now() - start)));
  }
  const sorted = times.toSorted((a, b) => a - b);
  console.log(
    `${name}: ${succeeded} of ${ATTEMPTS} log-ins, p50 ${percentile(sorted, 0.5)} ms, longest ${percentile(sorted, 1)} ms`,
  );
}

const pairs = await Promise.all(Array.from({ length: PAIRS }, (_, pair) => openPair(pair)));
const devices: (DeviceKey | undefined)[] = [];
for (let index = 0; index < ATTEMPTS; index++) devices.push(await logIn("127.0.0.1", `sender${15 + index}`));

await chat("warm-up", pairs, delay(2000));
await chat("quiet", pairs, delay(seconds * 1000));
const before = await server.cpuMicros();
const flood = fork(
  new URL("./flood-callers.ts", import.meta.url),
  [server.port, connections, callers, addresses].map(String),
  { stdio: ["ignore", "inherit", "inherit", "ipc"] },
);
await delay(1000);
const attempts = Promise.all([
  // From the address of the flood.
  tryLogIns("known devices", (index) => logIn("127.0.1.1", `sender${15 + index}`, devices[index])),
  tryLogIns("new devices from another address", (index) => logIn("127.0.2.1", `receiver${15 + index}`)),
]);
await chat("flood", pairs, Promise.all([attempts, delay(seconds * 1000)]));
flood.send("counts");
const [counts] = (await once(flood, "message")) as [Record<string, number>];
const cpu = ((await server.cpuMicros()) - before) / 1e6;
console.log(`answers to the flood: ${JSON.stringify(counts)}; CPU of the server: ${cpu.toFixed(1)} s`);
flood.disconnect();
for (const { sender, receiver } of pairs) {
  sender.close();
  receiver.close();
}
