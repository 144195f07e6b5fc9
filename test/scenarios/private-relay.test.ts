// Scenarios of the relay: it forwards bytes unchanged between the two devices of an introduction, grants credit only for bytes
// that the receiver has taken, and ends both calls when one of them ends.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { advanceUntil } from "../support/passing-time.ts";
import { TestServer, type TestServerOptions } from "../support/server.ts";
import { acceptedIntroduction, logInDevice, report, reportAs, subscribe } from "./introduction-calls.ts";
import { joinRelay, openRelay, type RelayCall } from "./relay-calls.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const WINDOW = 256 * KiB;

interface Fixture extends AsyncDisposable {
  readonly server: TestServer;
  readonly leia: TestClient;
  readonly han: TestClient;
  readonly id: string;
}

/** A server on which han has accepted a request of leia. */
async function pair(options: TestServerOptions = {}): Promise<Fixture> {
  const server = await TestServer.start({ users: ["leia", "han", "luke"], ...options });
  const [leia, han] = [await logInDevice(server, "leia"), await logInDevice(server, "han")];
  await subscribe(leia);
  await subscribe(han);
  const id = await acceptedIntroduction(leia, han);
  return { server, leia, han, id, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("bytes arrive unchanged and in order, in both directions at the same time", async () => {
  await using fixture = await pair();
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  const forth = randomBytes(200 * KiB);
  const back = randomBytes(100 * KiB);
  const sizes = [1, 16 * KiB, 2, 777, 16 * KiB, 3];
  for (let at = 0, index = 0; at < forth.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    one.send(forth.subarray(at, at + size));
    at += size;
  }
  for (let at = 0; at < back.length; at += 5_000) other.send(back.subarray(at, at + 5_000));
  expect(Buffer.compare(await other.data(forth.length), forth)).toBe(0);
  expect(Buffer.compare(await one.data(back.length), back)).toBe(0);
  // Pieces are neither split nor joined.
  const pieces = other.messages.flatMap(({ kind }) => (kind?.$case === "data" ? [kind.value.length] : []));
  expect(pieces.slice(0, 6)).toEqual(sizes);
});

test("credit is granted for bytes that the receiver has taken, at the rate of the relay and no faster", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ clock });
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  const steps = { server: fixture.server, clock, stepMs: 10 };
  const start = clock.monotonic();
  const total = 1024 * KiB;
  let credit = WINDOW;
  for (let sent = 0; sent < total; ) {
    while (credit < 16 * KiB) {
      credit += await advanceUntil(one.credit(), steps);
      // The rate of the relay is 1 MiB a second.
      const seconds = (clock.monotonic() - start) / 1_000;
      expect(one.creditGiven).toBeLessThanOrEqual(Math.ceil(seconds * MiB));
    }
    one.send(Buffer.alloc(16 * KiB, sent / (16 * KiB)));
    credit -= 16 * KiB;
    sent += 16 * KiB;
  }
  const received = await other.data(total);
  expect([...received.filter((_, index) => index % (16 * KiB) === 0)]).toEqual(
    Array.from({ length: 64 }, (_, n) => n),
  );
  expect(one.creditGiven).toBeLessThanOrEqual(total);
  // The first window needs no time; the other 768 KiB take three quarters of a second.
  expect(clock.monotonic() - start).toBeGreaterThanOrEqual(750);
});

test("a device that sends more than its credit ends both calls", async () => {
  await using fixture = await pair();
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  other.pause();
  // The transport may take some of the first window, for which credit is granted, but not all of both windows.
  fill(one);
  fill(one);
  expect(await one.ended).toMatchObject({ reason: "RELAY_CREDIT_EXCEEDED" });
  other.resume();
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a device has no credit before the peer has joined", async () => {
  await using fixture = await pair();
  const one = openRelay(fixture.leia, fixture.id);
  one.send(Buffer.from("hello?"));
  expect(await one.ended).toMatchObject({ reason: "RELAY_CREDIT_EXCEEDED" });
  expect(await openRelay(fixture.han, fixture.id).ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("while a device does not read, its peer receives no credit, and the device can still send", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ clock });
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  other.pause();
  fill(one, Buffer.alloc(WINDOW, 1));
  // In 600 ms the rate of the relay allows more than two windows.
  for (let passed = 0; passed < 600; passed += 10) {
    other.send(Buffer.from("still open"));
    expect((await one.data(10)).toString()).toBe("still open");
    clock.advance(10);
  }
  // The transport takes some bytes although the device does not read them, but not many.
  expect(one.creditGiven).toBeLessThan(WINDOW / 2);
  other.resume();
  expect((await other.data(WINDOW)).every((byte) => byte === 1)).toBe(true);
  let credit = one.creditGiven;
  const steps = { server: fixture.server, clock, stepMs: 10 };
  while (credit < WINDOW) credit += await advanceUntil(one.credit(), steps);
});

test.each([
  ["half-closes its call", "halfClose"],
  ["cancels its call", "cancel"],
] as const)(
  "when one device %s, the peer receives what was sent before, and its call ends",
  async (_, how) => {
    await using fixture = await pair();
    const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
    one.send(Buffer.from("good-bye"));
    if (how === "cancel") await other.data(8);
    one[how]();
    if (how === "halfClose") {
      expect((await other.data(8)).toString()).toBe("good-bye");
      expect(await one.ended).toBeUndefined();
    }
    const ended = await other.ended;
    expect(ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
  },
);

test("a lost connection ends the peer's call", async () => {
  await using fixture = await pair();
  const proxy = await TcpProxy.start(fixture.server.port);
  const lost = new TestClient(proxy.port);
  lost.grant = fixture.leia.grant;
  const [, other] = await joinRelay(lost, fixture.han, fixture.id);
  proxy[Symbol.dispose]();
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
  lost[Symbol.dispose]();
});

test("an introduction can be used once by each of its two devices, and by no other device", async () => {
  await using fixture = await pair();
  const luke = await logInDevice(fixture.server, "luke");
  const phone = await logInDevice(fixture.server, "leia", "phone");
  const bare = await fixture.server.logIn("leia");
  expect(await openRelay(bare, fixture.id).ended).toMatchObject({ reason: "DEVICE_KEY_MISSING" });
  for (const stranger of [luke, phone]) {
    expect(await openRelay(stranger, fixture.id).ended).toMatchObject({
      reason: "INTRODUCTION_NOT_FOUND",
      field: "opening.introduction_id",
    });
  }
  expect(await openRelay(fixture.leia, "no such id").ended).toMatchObject({
    reason: "INTRODUCTION_NOT_FOUND",
  });
  const first = openRelay(fixture.leia, fixture.id);
  const second = openRelay(fixture.han, fixture.id);
  await first.joined();
  expect(await openRelay(fixture.leia, fixture.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  first.send(Buffer.from("undisturbed"));
  await second.joined();
  expect((await second.data(11)).toString()).toBe("undisturbed");
  first.halfClose();
  await second.ended;
  for (const client of [fixture.leia, fixture.han]) {
    expect(await openRelay(client, fixture.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  }
});

test("another session of the same device can join", async () => {
  await using fixture = await pair();
  const { device: key } = fixture.leia.grant ?? {};
  const again = fixture.server.anonymous();
  await again.logIn("leia", "password of leia", key);
  await fixture.leia.logOut();
  await joinRelay(again, fixture.han, fixture.id);
});

test("an introduction that was not accepted relays nothing", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await logInDevice(server, "leia");
  expect(await openRelay(leia, "AAAAAAAAAAAAAAAAAAAAAA").ended).toMatchObject({
    reason: "INTRODUCTION_NOT_FOUND",
  });
});

test("the first device waits until the lifetime of the introduction ends; then neither can join", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ introductionTimes: { timeoutMs: 60_000, lifetimeMs: 30_000 }, clock });
  const steps = { server: fixture.server, clock, stepMs: 3_000 };
  const waiting = openRelay(fixture.leia, fixture.id);
  const start = clock.monotonic();
  expect(await advanceUntil(waiting.ended, steps)).toMatchObject({ reason: "RELAY_PEER_GONE" });
  expect(clock.monotonic() - start).toBeGreaterThanOrEqual(30_000);
  expect(await openRelay(fixture.han, fixture.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
});

test("devices that have joined stay joined after the lifetime of the introduction", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ introductionTimes: { timeoutMs: 60_000, lifetimeMs: 30_000 }, clock });
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  expect(await openRelay(fixture.leia, fixture.id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  clock.advance(30_000);
  // The server has forgotten the introduction, so the two users may be introduced again.
  await acceptedIntroduction(fixture.leia, fixture.han);
  one.send(Buffer.from("still open"));
  expect((await other.data(10)).toString()).toBe("still open");
});

test.each([
  ["data", (call: RelayCall) => call.send(Buffer.from("x")), "INVALID_FIELD", "opening"],
  ["no message", (call: RelayCall) => call.halfClose(), "INVALID_FIELD", "opening"],
])("a call that begins with %s ends", async (_, begin, reason, field) => {
  await using server = await TestServer.start({ users: ["leia"] });
  const leia = await logInDevice(server, "leia");
  const call = openRelay(leia, null);
  begin(call);
  expect(await call.ended).toMatchObject({ reason, field });
});

test.each([
  ["an empty piece", { $case: "data", value: Buffer.alloc(0) } as const, "INVALID_FIELD", "data"],
  [
    "a piece that is too long",
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
  await using fixture = await pair();
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  one.write(kind);
  const ended = await one.ended;
  expect(ended?.reason).toBe(reason);
  expect(ended?.field).toBe(field);
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a device may say goodbye within 2 s after its log-out, which then ends the calls of both devices", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ clock });
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  await fixture.leia.logOut();
  one.send(Buffer.from("goodbye"));
  expect((await other.data(7)).toString()).toBe("goodbye");
  clock.advance(1_999);
  one.send(Buffer.from("again"));
  expect((await other.data(5)).toString()).toBe("again");
  clock.advance(1);
  expect(await one.ended).toMatchObject({ reason: "SESSION_ENDED" });
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a log-out ends a call that waits for its peer, and a call whose device does not read", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ clock });
  const waiting = openRelay(fixture.leia, fixture.id);
  await fixture.leia.logOut();
  expect(await waiting.ended).toMatchObject({ reason: "SESSION_ENDED" });
  const again = await logInDevice(fixture.server, "leia", "again");
  await report(fixture.han, fixture.leia);
  await report(fixture.han);
  const id = await acceptedIntroduction(fixture.han, await subscribed(again));
  const [one, other] = await joinRelay(fixture.han, again, id);
  other.pause();
  fill(one);
  one.halfClose();
  expect(await one.ended).toBeUndefined();
  // The call of `other` waits until its device reads. The log-out does not wait longer for that than for a goodbye.
  await again.logOut();
  clock.advance(2_000);
  other.resume();
  expect(await other.ended).toMatchObject({ reason: "SESSION_ENDED" });
});

test("a call that waits for its peer ends when the introduction is reported as failed", async () => {
  await using fixture = await pair();
  const { leia, han, id } = fixture;
  const waiting = openRelay(han, id);
  // Another call of the same connection shows that the server has received the first one.
  expect(await openRelay(han, id).ended).toMatchObject({ reason: "INTRODUCTION_NOT_FOUND" });
  await reportAs(leia, "", [], [id]);
  expect(await waiting.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a server that stops ends relay calls with a reason", async () => {
  await using fixture = await pair();
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  await fixture.server.stop();
  for (const half of [one, other]) {
    expect(["SERVER_STOPPING", "RELAY_PEER_GONE"]).toContain((await half.ended)?.reason);
  }
  expect(fixture.server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

test("relayed bytes do not count as a command, so the idle time-out ends their session", async () => {
  const clock = new ManualClock();
  await using fixture = await pair({ idleTimeoutMs: 60_000, clock });
  const { server, leia, han, id } = fixture;
  const [one] = await joinRelay(leia, han, id);
  const ending = await advanceUntil(one.ended, { server, clock, stepMs: 6_000 }, () => {
    one.send(Buffer.from("x"));
  });
  expect(["SESSION_TIMED_OUT", "RELAY_PEER_GONE"]).toContain(ending?.reason);
});

test("a session has at most sixteen relay calls", async () => {
  const crowd = Array.from({ length: 17 }, (_, index) => `ewok${index}`);
  await using server = await TestServer.start({ users: ["leia", ...crowd] });
  const leia = await logInDevice(server, "leia");
  const ids: string[] = [];
  for (const name of crowd)
    ids.push(await acceptedIntroduction(leia, await subscribed(await logInDevice(server, name))));
  const calls = ids.slice(0, 16).map((id) => openRelay(leia, id));
  expect(await openRelay(leia, ids[16] ?? "").ended).toMatchObject({
    reason: "RATE_LIMITED",
    retryDelayMs: 5_000,
  });
  calls[0]?.halfClose();
  await calls[0]?.ended;
  const last = openRelay(leia, ids[16] ?? "");
  last.halfClose();
  expect(await last.ended).toBeUndefined();
});

test("a server without a relay refuses the call", async () => {
  await using fixture = await pair({ relay: false });
  expect(await openRelay(fixture.leia, fixture.id).ended).toMatchObject({
    reason: "PRIVATE_CHAT_UNAVAILABLE",
  });
});

test("relayed bytes are not logged", async () => {
  await using fixture = await pair();
  const [one, other] = await joinRelay(fixture.leia, fixture.han, fixture.id);
  one.send(Buffer.from("secret of the two"));
  await other.data(17);
  one.halfClose();
  await other.ended;
  expect(JSON.stringify(fixture.server.logged)).not.toContain("secret of the two");
  expect(fixture.server.logged.filter(({ level }) => level > 30)).toEqual([]);
});

/** Sends one window, in pieces so small that the transport cannot take them all while the receiver does not read. */
function fill(one: RelayCall, bytes = Buffer.alloc(WINDOW)): void {
  for (let at = 0; at < WINDOW; at += KiB) one.send(bytes.subarray(at, at + KiB));
}

/** The client, after it has subscribed to invitations. */
async function subscribed(client: TestClient): Promise<TestClient> {
  await subscribe(client);
  return client;
}
