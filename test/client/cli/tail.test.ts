// parley tail: its output, its end, its reconnection, and markers.
import { once } from "node:events";
import { expect, test } from "vitest";
import type { TestClient, TestStream } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";
import { finished, Home, Lines, parsed, type Run } from "./parley.ts";

/** yoda, who runs tail, and luke, who sees when yoda is online. */
class Scenario implements AsyncDisposable {
  readonly server: TestServer;
  readonly yoda: Home;
  readonly luke: TestClient;
  readonly seen: TestStream;

  private constructor(server: TestServer, yoda: Home, luke: TestClient, seen: TestStream) {
    this.server = server;
    this.yoda = yoda;
    this.luke = luke;
    this.seen = seen;
  }

  static async open(): Promise<Scenario> {
    const server = await TestServer.start({ users: ["yoda", "luke"] });
    const yoda = await Home.make();
    await yoda.logIn("yoda", server, "--plaintext");
    const luke = await server.logIn("luke");
    return new Scenario(server, yoda, luke, await luke.connect().caughtUp());
  }

  /** Starts tail, and resolves when luke sees yoda online. */
  async tail(...flags: string[]): Promise<Tail> {
    const child = this.yoda.start("tail", ...flags);
    const tail = { child, lines: new Lines(child), end: finished(child) };
    await this.seen.next("presenceChanged", ({ cameOnline }) => cameOnline.some(isYoda));
    return tail;
  }

  /** Ends it, and resolves when luke has seen yoda go offline. */
  async stop({ child, end }: Tail, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    child.kill(signal);
    const { code } = await end;
    await this.seen.next("presenceChanged", ({ wentOffline }) => wentOffline.some(isYoda));
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yoda[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

interface Tail {
  readonly child: ReturnType<Home["start"]>;
  readonly lines: Lines;
  readonly end: Promise<Run>;
}

function isYoda({ username }: { readonly username: string }): boolean {
  return username === "yoda";
}

/** Without the time. */
function said(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, "");
}

test("each message is a line that is safe for a terminal, with sender and recipient; SIGTERM ends it with 0", async () => {
  await using scenario = await Scenario.open();
  const { yoda, luke } = scenario;
  await luke.send("yoda", "before tail began");
  const run = await scenario.tail();
  await luke.send("yoda", "hello");
  await luke.send("yoda", "two\nyoda → luke: lines \u{1b}[31m\u{202e}");
  await luke.broadcast("to all");
  await yoda.run("send", "luke", "from another process");
  expect(said(await run.lines.next())).toBe("luke → yoda: hello");
  expect(said(await run.lines.next())).toBe("luke → yoda: two");
  expect(await run.lines.next()).toBe("    yoda → luke: lines ␛[31m‹U+202E›");
  expect(said(await run.lines.next())).toBe("luke → everyone: to all");
  expect(said(await run.lines.next())).toBe("yoda → luke: from another process");
  expect(await scenario.stop(run)).toBe(0);
});

test("--json prints the unchanged events of messages, --all every kind of event; SIGINT ends it with 0", async () => {
  await using scenario = await Scenario.open();
  const { yoda, luke } = scenario;
  const run = await scenario.tail("--json");
  const all = yoda.start("tail", "--json", "--all");
  const allLines = new Lines(all);
  const ended = finished(all);
  expect(parsed(await allLines.next())).toMatchObject({ welcome: { user: { username: "yoda" } } });
  while (!("caughtUp" in parsed(await allLines.next())));
  const ack = await luke.send("yoda", "exactly \u{1b}[31m\u{202e}");
  for (const lines of [run.lines, allLines]) {
    const { entryAppended } = parsed(await lines.next()) as { entryAppended: { entry: object } };
    expect(entryAppended.entry).toMatchObject({
      conversationId: ack.conversationId,
      seq: String(ack.seq),
      // Canonical JSON leaves out a fraction of zero.
      sendTime: ack.sendTime?.toISOString().replace(".000Z", "Z"),
      content: { text: "exactly \u{1b}[31m\u{202e}" },
    });
  }
  all.kill("SIGINT");
  expect(await ended).toMatchObject({ code: 0, stderr: "" });
  expect(await scenario.stop(run, "SIGINT")).toBe(0);
  expect(await yoda.run("tail", "--all")).toMatchObject({ code: 2 });
});

test("--since first prints all earlier messages of the time span, and then new ones", async () => {
  await using scenario = await Scenario.open();
  const { luke } = scenario;
  const stream = await luke.connect().caughtUp();
  for (let count = 1; count <= 620; count++) stream.send("yoda", `since ${count}`);
  while (stream.all("ack").length < 620) await stream.change();
  stream[Symbol.dispose]();
  const run = await scenario.tail("--since", "1h");
  const lines: string[] = [];
  for (;;) {
    const line = await run.lines.next();
    if (line.includes(": since ")) lines.push(said(line));
    if (line.endsWith("since 620")) break;
  }
  expect(lines).toEqual(Array.from({ length: 620 }, (_, index) => `luke → yoda: since ${index + 1}`));
  await luke.send("yoda", "and on");
  for (let line = await run.lines.next(); !line.endsWith("and on"); ) line = await run.lines.next();
  expect(await scenario.stop(run)).toBe(0);
});

test("markers move only with --mark", async () => {
  await using scenario = await Scenario.open();
  const { yoda, luke, seen } = scenario;
  const silent = await scenario.tail();
  const first = await luke.send("yoda", "unmarked");
  await silent.lines.next();
  await scenario.stop(silent);
  const markers = async (): Promise<{ deliveredSeq: bigint; readSeq: bigint } | undefined> => {
    const request = { pageSize: 0, pageToken: "", background: false };
    const page = await luke.unary(luke.history, luke.history.listConversations, request);
    return page.conversations.find(({ conversationId }) => conversationId === first.conversationId)
      ?.peerMarker;
  };
  expect(await markers()).toMatchObject({ deliveredSeq: 0n, readSeq: 0n });
  expect(await yoda.run("history", "luke", "-n", "1")).toMatchObject({ code: 0 });
  expect(await markers()).toMatchObject({ deliveredSeq: 0n, readSeq: 0n });

  const marking = await scenario.tail("--mark");
  const { seq } = await luke.send("yoda", "marked");
  await seen.next("markersMoved", ({ readSeq }) => readSeq === seq);
  await scenario.stop(marking);
  const later = await luke.send("yoda", "marked by history");
  expect(await yoda.run("history", "luke", "-n", "1", "--mark")).toMatchObject({ code: 0 });
  await seen.next("markersMoved", ({ readSeq }) => readSeq === later.seq);
});

test("a reader that closes the pipe ends it with exit code 0", async () => {
  await using scenario = await Scenario.open();
  const { luke, seen } = scenario;
  const run = await scenario.tail();
  await luke.send("yoda", "the only line wanted");
  expect(await run.lines.next()).toContain("the only line wanted");
  run.child.stdout.destroy();
  await luke.send("yoda", "this line has no reader");
  expect(await run.end).toMatchObject({ code: 0, stderr: "" });
  await seen.next("presenceChanged", ({ wentOffline }) => wentOffline.some(isYoda));
});

test("the end of the session ends it with exit code 4", async () => {
  await using scenario = await Scenario.open();
  const { server, yoda } = scenario;
  await using other = await Home.make();
  await other.logIn("yoda", server, "--plaintext");
  const run = await scenario.tail();
  const sessions = (await other.run("sessions", "--json")).lines.map(parsed);
  for (const { sessionId, current } of sessions) {
    if (current !== true) expect(await other.run("revoke", String(sessionId))).toMatchObject({ code: 0 });
  }
  const { code, stderr } = await run.end;
  expect(code).toBe(4);
  expect(stderr).toMatch(/^You are logged out: this session was ended elsewhere, .* Run: parley login yoda/m);
  await yoda.logIn("yoda", server);
});

test("it reconnects when the server starts again, and misses no message", async () => {
  await using scenario = await Scenario.open();
  const { server, luke } = scenario;
  const run = await scenario.tail();
  await luke.send("yoda", "before");
  expect(await run.lines.next()).toContain("before");
  const lost = once(run.child.stderr, "data");
  await server.stop();
  expect(String((await lost)[0])).toContain("The connection is lost");
  await server.start();
  await luke.send("yoda", "while it was away, or just after");
  expect(await run.lines.next()).toContain("while it was away");
  run.child.kill("SIGTERM");
  expect(await run.end).toMatchObject({ code: 0 });
});
