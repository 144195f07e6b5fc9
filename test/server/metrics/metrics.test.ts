// The metrics of a server, as Prometheus reads them.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { Metrics } from "../../../server/metrics/metrics.ts";
import { CHEAP } from "../../support/cheap-passwords.ts";
import { reasonOf, TestClient } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeIo } from "../commands/fake-io.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "parley-metrics-"));
});
afterEach(() => rm(data, { recursive: true }));

async function serve(...flags: string[]) {
  for (const name of ["yoda", "luke"]) {
    const io = fakeIo("a long password\n");
    const argv = ["user", "add", name, "--password-stdin", "--data", data];
    expect(await runCommandLine(argv, io, { passwordCost: CHEAP })).toBe(0);
  }
  const io = fakeIo("", { isTerminal: true });
  const argv = ["--data", data, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", ...flags];
  const done = runCommandLine(argv, io, { passwordCost: CHEAP });
  const [, port = "", url = ""] = await io.printed(/address +127\.0\.0\.1:(\d+).*metrics +(http\S+)/s);
  return {
    port: Number(port),
    url,
    read: async () => (await fetch(url)).text(),
    [Symbol.asyncDispose]: async () => {
      io.listeners?.onStop("SIGTERM");
      expect(await done).toBe(0);
    },
  };
}

/** The value of a figure, with its labels as Prometheus writes them. */
function figure(text: string, name: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test("messages, commits, streams, refusals and calls are counted, without a name", async () => {
  await using server = await serve("--plaintext");
  using yoda = new TestClient(server.port);
  await yoda.logIn("yoda", "a long password");
  using stranger = new TestClient(server.port);
  expect(await reasonOf(stranger.logIn("luke", "a wrong guess"))).toBe("CREDENTIALS_WRONG");
  using stream = await yoda.connect().caughtUp();
  for (let count = 0; count < 3; count++) await yoda.send("luke", "a secret text");
  await yoda.broadcast("a secret text");
  stream.send("luke", "");
  await stream.next("refused");

  const text = await server.read();
  expect(figure(text, 'parley_messages_total{conversation="direct"}')).toBe(3);
  expect(figure(text, 'parley_messages_total{conversation="broadcast"}')).toBe(1);
  expect(figure(text, "parley_commit_seconds_count")).toBe(4);
  expect(figure(text, "parley_commit_failures_total")).toBe(0);
  expect(figure(text, 'parley_calls_total{method="ChatService/SendMessage"}')).toBe(3);
  expect(figure(text, 'parley_refusals_total{reason="CREDENTIALS_WRONG"}')).toBe(1);
  expect(figure(text, 'parley_refusals_total{reason="CONTENT_EMPTY"}')).toBe(1);
  expect(figure(text, "parley_streams")).toBe(1);
  expect(figure(text, "parley_users")).toBe(1);
  expect(figure(text, "parley_connections")).toBe(2);
  expect(figure(text, "parley_outbox_bytes")).toBe(0);
  expect(figure(text, "parley_disk_free_bytes")).toBeGreaterThan(0);
  expect(figure(text, "process_resident_memory_bytes")).toBeGreaterThan(0);
  expect(figure(text, "nodejs_eventloop_lag_p99_seconds")).toBeDefined();
  expect(text).not.toContain("parley_certificate_days_left");
  expect(text).not.toMatch(/yoda|luke|secret|127\.0\.0\.1/);

  stream[Symbol.dispose]();
  await eventually(async () => expect(figure(await server.read(), "parley_streams")).toBe(0));
});

test("the days until the certificate expires are a figure", async () => {
  await using server = await serve();
  const days = figure(await server.read(), "parley_certificate_days_left");
  expect(days).toBeGreaterThan(3_640);
  expect(days).toBeLessThan(3_651);
});

test("an address that other machines can reach is warned about", async () => {
  const io = fakeIo("", { isTerminal: true });
  const argv = ["--data", data, "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"];
  const done = runCommandLine(argv, io, { passwordCost: CHEAP });
  await io.printed(/metrics +http:\/\/0\.0\.0\.0:\d+\/metrics/);
  expect(io.err).toMatch(/metrics are served at 0\.0\.0\.0:\d+ without encryption and without log-in/);
  io.listeners?.onStop("SIGTERM");
  expect(await done).toBe(0);
});

test("only GET of /metrics is answered, and connections are bounded", async () => {
  await using server = await serve("--plaintext");
  expect((await fetch(server.url.replace("/metrics", "/"))).status).toBe(404);
  expect((await fetch(server.url, { method: "POST", body: "x" })).status).toBe(405);
  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = [];
  let closed = 0;
  for (let count = 0; count < 40; count++) {
    const socket = connect(Number(port), hostname).on("error", () => {});
    socket.once("close", () => {
      closed += 1;
    });
    await once(socket, "connect");
    sockets.push(socket);
  }
  // Some of the places may be taken by the connections of the requests above.
  await eventually(() => expect(closed).toBeGreaterThanOrEqual(24));
  expect(closed).toBeLessThan(40);
  for (const socket of sockets) socket.destroy();
  await eventually(async () => expect((await fetch(server.url)).status).toBe(200));
});

test("a figure that cannot be read does not hide the others", async () => {
  const metrics = new Metrics();
  const state = () => ({ connections: 3, streams: 0, users: 0, outboxBytes: 0 });
  const folder = join(data, "removed");
  metrics.observe({ state, certificate: () => undefined, folder, version: "1", now: () => 0 });
  const text = await metrics.text();
  expect(figure(text, "parley_disk_free_bytes")).toBeNaN();
  expect(figure(text, "parley_connections")).toBe(3);
});
