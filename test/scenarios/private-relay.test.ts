// Scenarios of the relay: bytes go from one device of an introduction to the other, as they were sent, and no further; what
// one sends is bounded by what the other takes; and when one goes, the other is told.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { reasonOf, TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passUntil } from "../support/passing-time.ts";
import { TestServer, type TestServerOptions } from "../support/server.ts";
import { device, report, take } from "./private.ts";
import { agreed, joined, relay } from "./relaying.ts";
import { Wire } from "./wire.ts";

const KiB = 1024;
const WINDOW = 256 * KiB;

interface Pair extends AsyncDisposable {
  readonly server: TestServer;
  readonly leia: TestClient;
  readonly han: TestClient;
  readonly id: string;
}

/** leia has asked, han has said yes. */
async function pair(options: TestServerOptions = {}): Promise<Pair> {
  const server = await TestServer.start({ users: ["leia", "han", "luke"], ...options });
  const [leia, han] = [await device(server, "leia"), await device(server, "han")];
  await take(leia);
  await take(han);
  const id = await agreed(leia, han);
  return { server, leia, han, id, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("bytes come as they were sent, both ways at once, whole and in order", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  const there = randomBytes(200 * KiB);
  const back = randomBytes(100 * KiB);
  const sizes = [1, 16 * KiB, 2, 777, 16 * KiB, 3];
  for (let at = 0, index = 0; at < there.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    one.send(there.subarray(at, at + size));
    at += size;
  }
  for (let at = 0; at < back.length; at += 5_000) other.send(back.subarray(at, at + 5_000));
  expect(Buffer.compare(await other.data(there.length), there)).toBe(0);
  expect(Buffer.compare(await one.data(back.length), back)).toBe(0);
  // Pieces stay pieces.
  const pieces = other.messages.flatMap(({ kind }) => (kind?.$case === "data" ? [kind.value.length] : []));
  expect(pieces.slice(0, 6)).toEqual(sizes);
});

test("credit comes for what was taken, at the server's rate and no faster", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  const start = performance.now();
  const total = 1024 * KiB;
  let credit = WINDOW;
  for (let sent = 0; sent < total; ) {
    while (credit < 16 * KiB) credit += await one.credit();
    one.send(Buffer.alloc(16 * KiB, sent / (16 * KiB)));
    credit -= 16 * KiB;
    sent += 16 * KiB;
  }
  const had = await other.data(total);
  const seconds = (performance.now() - start) / 1000;
  expect([...had.filter((_, index) => index % (16 * KiB) === 0)]).toEqual(
    Array.from({ length: 64 }, (_, n) => n),
  );
  expect(one.creditGiven).toBeLessThanOrEqual(total);
  // The window goes at once; the rest is 768 KiB at 1 MiB a second.
  expect(seconds).toBeGreaterThan(0.7);
});

test("more than the credit ends both", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  other.pause();
  // Of the first window some may be credited, as the transport takes it; of the second too much is left.
  fill(one);
  fill(one);
  expect(await one.ended).toMatchObject({ reason: "RELAY_CREDIT_EXCEEDED" });
  other.resume();
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("what is sent before the other one is there is too much as well", async () => {
  await using scenario = await pair();
  const one = relay(scenario.leia, scenario.id);
  one.send(Buffer.from("hello?"));
  expect(await one.ended).toMatchObject({ reason: "RELAY_CREDIT_EXCEEDED" });
  expect(await relay(scenario.han, scenario.id).ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a device that reads nothing gives no credit, and holds up nobody else", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  other.pause();
  fill(one, Buffer.alloc(WINDOW, 1));
  // The other way still goes, for long enough to earn two windows.
  for (const start = performance.now(); performance.now() - start < 600; ) {
    other.send(Buffer.from("still here"));
    expect((await one.data(10)).toString()).toBe("still here");
  }
  // What the transport took on its own is not read, but it is little.
  expect(one.creditGiven).toBeLessThan(WINDOW / 2);
  other.resume();
  expect((await other.data(WINDOW)).every((byte) => byte === 1)).toBe(true);
  let credit = one.creditGiven;
  while (credit < WINDOW) credit += await one.credit();
});

test("twenty thousand pieces of one byte reach a device that reads late", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  other.pause();
  const all = randomBytes(20_000);
  for (let at = 0; at < all.length; at++) one.send(all.subarray(at, at + 1));
  other.send(Buffer.from("go on"));
  await one.data(5);
  other.resume();
  expect(Buffer.compare(await other.data(all.length), all)).toBe(0);
});

test.each([
  ["closes its side", "finish"],
  ["gives up", "cancel"],
] as const)("when one %s, the other ends, after what was sent before", async (_, how) => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  one.send(Buffer.from("good-bye"));
  if (how === "cancel") await other.data(8);
  one[how]();
  if (how === "finish") {
    expect((await other.data(8)).toString()).toBe("good-bye");
    expect(await one.ended).toBeUndefined();
  }
  const ended = await other.ended;
  expect(ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a connection that is lost ends the relay for the other one", async () => {
  await using scenario = await pair();
  const wire = await Wire.to(scenario.server.port);
  const lost = new TestClient(wire.port);
  lost.grant = scenario.leia.grant;
  const [, other] = await joined(lost, scenario.han, scenario.id);
  wire[Symbol.dispose]();
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
  lost[Symbol.dispose]();
});

test("who is slow still gets all that was sent before the other left", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  other.pause();
  const all = randomBytes(WINDOW);
  fill(one, all);
  one.finish();
  expect(await one.ended).toBeUndefined();
  for (const start = performance.now(); performance.now() - start < 1_500; ) await report(scenario.han);
  other.resume();
  expect(Buffer.compare(await other.data(WINDOW), all)).toBe(0);
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("an introduction is good once for each of its two devices, and for nobody else", async () => {
  await using scenario = await pair();
  const luke = await device(scenario.server, "luke");
  const elsewhere = await device(scenario.server, "leia", "phone");
  const bare = await scenario.server.logIn("leia");
  expect(await relay(bare, scenario.id).ended).toMatchObject({ reason: "DEVICE_KEY_MISSING" });
  for (const stranger of [luke, elsewhere]) {
    expect(await relay(stranger, scenario.id).ended).toMatchObject({
      reason: "INTRODUCTION_NOT_FOUND",
      field: "opening.introduction_id",
    });
  }
  expect(await relay(scenario.leia, "no such id").ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  const first = relay(scenario.leia, scenario.id);
  const second = relay(scenario.han, scenario.id);
  await first.joined();
  expect(await relay(scenario.leia, scenario.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  first.send(Buffer.from("undisturbed"));
  await second.joined();
  expect((await second.data(11)).toString()).toBe("undisturbed");
  first.finish();
  await second.ended;
  for (const client of [scenario.leia, scenario.han]) {
    expect(await relay(client, scenario.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  }
});

test("another session of the same device will do", async () => {
  await using scenario = await pair();
  const { device: key } = scenario.leia.grant ?? {};
  const again = scenario.server.anonymous();
  await again.logIn("leia", "password of leia", key);
  await scenario.leia.logOut();
  await joined(again, scenario.han, scenario.id);
});

test("an introduction that was not answered yes relays nothing", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await device(server, "leia");
  expect(await relay(leia, "AAAAAAAAAAAAAAAAAAAAAA").ended).toMatchObject({
    reason: "INTRODUCTION_NOT_FOUND",
  });
});

test("the first one waits as long as the introduction lasts, and then it is over for both", async () => {
  await using scenario = await pair({ introductionTimes: { timeoutMs: 60_000, lifetimeMs: 400 } });
  expect(await relay(scenario.leia, scenario.id).ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
  expect(await relay(scenario.han, scenario.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
});

test("who is joined stays so, however long it takes", async () => {
  await using scenario = await pair({ introductionTimes: { timeoutMs: 60_000, lifetimeMs: 400 } });
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  expect(await relay(scenario.leia, scenario.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  // Until the server has forgotten the introduction: the two may be introduced anew.
  for (;;) if ((await reasonOf(agreed(scenario.leia, scenario.han))) === "") break;
  one.send(Buffer.from("still"));
  expect((await other.data(5)).toString()).toBe("still");
});

test.each([
  ["no opening", (call: ReturnType<typeof relay>) => call.send(Buffer.from("x")), "INVALID_FIELD", "opening"],
  ["nothing at all", (call: ReturnType<typeof relay>) => call.finish(), "INVALID_FIELD", "opening"],
  ["silence", () => undefined, "INVALID_FIELD", "opening"],
])("a call that begins with %s ends", async (_, begin, reason, field) => {
  await using server = await TestServer.start({ users: ["leia"] });
  const leia = await device(server, "leia");
  const call = relay(leia, null);
  begin(call);
  expect(await call.ended).toMatchObject({ reason, field });
});

test.each([
  ["an empty piece", { $case: "data", value: Buffer.alloc(0) } as const, "INVALID_FIELD", "data"],
  [
    "too long a piece",
    { $case: "data", value: Buffer.alloc(16 * KiB + 1) } as const,
    "INVALID_FIELD",
    "data",
  ],
  [
    "a second opening",
    { $case: "opening", value: { introductionId: "x" } } as const,
    "INVALID_FIELD",
    "opening",
  ],
  ["a message of no kind", undefined, "UNSUPPORTED_COMMAND", undefined],
])("%s ends the relay", async (_, kind, reason, field) => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  one.write(kind);
  const ended = await one.ended;
  expect(ended?.reason).toBe(reason);
  expect(ended?.field).toBe(field);
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a log-out ends the relay at once, for both", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  await scenario.leia.logOut();
  expect(await one.ended).toMatchObject({ reason: "SESSION_ENDED" });
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a log-out reaches one who still waits, and one whose other half reads nothing", async () => {
  await using scenario = await pair();
  const waiting = relay(scenario.leia, scenario.id);
  await scenario.leia.logOut();
  expect(await waiting.ended).toMatchObject({ reason: "SESSION_ENDED" });
  const again = await device(scenario.server, "leia", "again");
  await report(scenario.han, scenario.leia);
  await report(scenario.han);
  const id = await agreed(scenario.han, await withStream(again));
  const [one, other] = await joined(scenario.han, again, id);
  other.pause();
  fill(one);
  one.finish();
  expect(await one.ended).toBeUndefined();
  // It waits for its reader now; the log-out does not.
  await again.logOut();
  other.resume();
  expect(await other.ended).toMatchObject({ reason: "SESSION_ENDED" });
});

test("a server that stops ends relays, with a word to come back", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  await scenario.server.stop();
  for (const half of [one, other]) {
    expect(["SERVER_STOPPING", "RELAY_PEER_GONE"]).toContain((await half.ended)?.reason);
  }
  expect(scenario.server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

test("bytes on a relay do not count as a command: the idle time-out ends their session", async () => {
  const clock = new ManualClock();
  await using scenario = await pair({ idleTimeoutMs: 60_000, clock });
  const { server, leia, han, id } = scenario;
  const [one] = await joined(leia, han, id);
  const ending = await passUntil(one.ended, { server, clock, stepMs: 6_000 }, () => {
    one.send(Buffer.from("x"));
  });
  expect(["SESSION_TIMED_OUT", "RELAY_PEER_GONE"]).toContain(ending?.reason);
});

test("a session has sixteen relays at most", async () => {
  const crowd = Array.from({ length: 17 }, (_, index) => `ewok${index}`);
  await using server = await TestServer.start({ users: ["leia", ...crowd] });
  const leia = await device(server, "leia");
  const ids: string[] = [];
  for (const name of crowd) ids.push(await agreed(leia, await withStream(await device(server, name))));
  const calls = ids.slice(0, 16).map((id) => relay(leia, id));
  expect(await relay(leia, ids[16] ?? "").ended).toMatchObject({
    reason: "RATE_LIMITED",
    retryDelayMs: 5_000,
  });
  calls[0]?.finish();
  await calls[0]?.ended;
  const last = relay(leia, ids[16] ?? "");
  last.finish();
  expect(await last.ended).toBeUndefined();
});

test("a server without a relay says so", async () => {
  await using scenario = await pair({ relay: false });
  expect(await relay(scenario.leia, scenario.id).ended).toMatchObject({ reason: "PRIVATE_CHAT_UNAVAILABLE" });
});

test("nothing of what is relayed is logged", async () => {
  await using scenario = await pair();
  const [one, other] = await joined(scenario.leia, scenario.han, scenario.id);
  one.send(Buffer.from("secret of the two"));
  await other.data(17);
  one.finish();
  await other.ended;
  expect(JSON.stringify(scenario.server.logged)).not.toContain("secret of the two");
  expect(scenario.server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

/** Sends all that the first credit allows, in pieces so small that a transport that is not read cannot take all. */
function fill(one: ReturnType<typeof relay>, bytes = Buffer.alloc(WINDOW)): void {
  for (let at = 0; at < WINDOW; at += KiB) one.send(bytes.subarray(at, at + KiB));
}

async function withStream(client: TestClient): Promise<TestClient> {
  await take(client);
  return client;
}
