// Scenarios of accounts on two nodes over one store: wrong passwords, the cap of sessions, the idle time-out, and the end of
// a session, also when the bus loses every message.
import { describe, expect, test } from "vitest";
import { limits } from "../../../server/limits.ts";
import { reasonOf } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { sameSession, startPair } from "../../support/pair.ts";
import { advanceUntil } from "../../support/passing-time.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { FaultyBus, SharedBus } from "../../support/shared-bus.ts";
import { connectUser } from "../connect-user.ts";

const TIMEOUT_MS = 60_000;
const users = ["hans", "yoda", "leia"];

const buses = [
  { name: "a bus that loses nothing", isLossy: false, makeBus: () => new SharedBus() },
  { name: "a bus that loses everything", isLossy: true, makeBus: () => new FaultyBus(() => "lost") },
];

/** The reason of the refusal, or "" if the user is logged in. */
function tryLogIn(node: TestServer, name: string, password = passwordOf(name)): Promise<string> {
  return reasonOf(node.anonymous().logIn(name, password));
}

test("two nodes: six wrong passwords, in turns, get three tries, and lock both nodes", async () => {
  const clock = new ManualClock();
  await using pair = await startPair({ users, lock: "strict", lockDurationMs: 60_000, clock });
  const reasons: string[] = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    reasons.push(await tryLogIn(attempt % 2 === 0 ? pair.one : pair.other, "hans", "not it"));
  }
  expect(reasons).toEqual(["CREDENTIALS_WRONG", "CREDENTIALS_WRONG", ...Array(4).fill("ACCOUNT_LOCKED")]);
  for (const node of [pair.one, pair.other]) expect(await tryLogIn(node, "hans")).toBe("ACCOUNT_LOCKED");
  clock.advance(60_000);
  expect(await tryLogIn(pair.other, "hans")).toBe("");
});

test("two nodes: six wrong passwords at the same time get three tries", async () => {
  await using pair = await startPair({ users, lock: "strict" });
  const attempts = [pair.one, pair.other].flatMap((node) =>
    Array.from({ length: 3 }, () => tryLogIn(node, "hans", "not it")),
  );
  const reasons = await Promise.all(attempts);
  expect(reasons.filter((reason) => reason === "CREDENTIALS_WRONG")).toHaveLength(2);
  expect(reasons.filter((reason) => reason === "ACCOUNT_LOCKED")).toHaveLength(4);
});

describe.each(buses)("with $name", ({ makeBus, isLossy }) => {
  test("two nodes: a user who is online at one is refused at the other if one session is the most", async () => {
    await using pair = await startPair({ users, sessionsPerUser: 1, bus: makeBus() });
    // Neither session is online yet when the other starts.
    const [first, second] = [await pair.one.logIn("hans"), await pair.other.logIn("hans")];
    const { ended } = await first.connect().caughtUp();
    expect(await tryLogIn(pair.other, "hans")).toBe("TOO_MANY_SESSIONS");
    expect((await second.connect().ended)?.reason).toBe("TOO_MANY_SESSIONS");
    await first.logOut();
    await ended;
    await expect.poll(() => tryLogIn(pair.other, "hans")).toBe("");
  });

  test("two nodes: of two streams that open at the same time, one is refused if one session is the most", async () => {
    await using pair = await startPair({ users, sessionsPerUser: 1, bus: makeBus() });
    const clients = [await pair.one.logIn("hans"), await pair.other.logIn("hans")];
    const streams = clients.map((client) => client.connect());
    const opened = await Promise.allSettled(streams.map((stream) => stream.caughtUp()));
    expect(opened.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("two nodes: a user who works at one does not time out at the other, and times out at both", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ users, idleTimeoutMs: TIMEOUT_MS, clock, bus: makeBus() });
    const hans = await connectUser(pair.one, "hans");
    const atOther = sameSession(hans.client, pair.other);
    const stream = await atOther.connect().caughtUp();
    const yoda = await connectUser(pair.one, "yoda");
    const steps = { server: pair.one, clock, stepMs: TIMEOUT_MS / 10 };
    expect((await advanceUntil(yoda.stream.ended, steps, () => atOther.whoelse()))?.reason).toBe(
      "SESSION_TIMED_OUT",
    );
    expect(await reasonOf(hans.client.whoelse())).toBe("");
    const both = Promise.all([hans.stream.ended, stream.ended]);
    const reasons = (await advanceUntil(both, steps)).map((ending) => ending?.reason);
    expect(reasons).toEqual(["SESSION_TIMED_OUT", "SESSION_TIMED_OUT"]);
    expect(await reasonOf(atOther.whoelse())).toBe("TOKEN_INVALID");
  });

  test("two nodes: the list of sessions shows those that are connected to the other", async () => {
    await using pair = await startPair({ users, bus: makeBus() });
    const here = await connectUser(pair.one, "hans");
    const there = await connectUser(pair.other, "hans");
    await pair.other.logIn("hans");
    const online = async ({ client }: typeof here): Promise<boolean[]> => {
      const request = { pageSize: 0, pageToken: "" };
      const { sessions } = await client.unary(client.auth, client.auth.listSessions, request);
      return sessions.map((session) => session.online);
    };
    expect(await online(here)).toEqual([false, true, true]);
    expect(await online(there)).toEqual([false, true, true]);
    here.stream[Symbol.dispose]();
    await expect.poll(() => online(there)).toEqual([false, true, false]);
  });

  test("two nodes: a log-out ends the streams and the token at the other, at the latest after a look", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ users, clock, bus: makeBus() });
    const hans = await connectUser(pair.one, "hans");
    const atOther = sameSession(hans.client, pair.other);
    const stream = await atOther.connect().caughtUp();
    await hans.client.logOut();
    expect((await hans.stream.ended)?.reason).toBe("SESSION_ENDED");
    if (isLossy) clock.advance(limits.sessionLookMs);
    expect((await stream.ended)?.reason).toBe("SESSION_ENDED");
    expect(await reasonOf(atOther.whoelse())).toBe("TOKEN_INVALID");
  });

  test("two nodes: a removed user is unknown to the other, at the latest after a minute", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ users, clock, bus: makeBus() });
    await pair.one.store.accounts.setAdministrator("yoda", true);
    const yoda = await pair.one.logIn("yoda");
    const leia = await connectUser(pair.other, "leia");
    const hans = await connectUser(pair.other, "hans");
    await leia.client.send("hans", "hello");
    await yoda.unary(yoda.admin, yoda.admin.removeUser, { username: "hans" });
    clock.advance(limits.sessionLookMs);
    expect((await hans.stream.ended)?.reason).toBe("SESSION_ENDED");
    const byName = { user: { $case: "username", value: "hans" } as const, background: true };
    // The store refuses messages to the user at once, and the node forgets the name.
    expect(await reasonOf(leia.client.send("hans", "still there?"))).toBe("USER_NOT_FOUND");
    if (isLossy) clock.advance(limits.namesTrustedMs);
    expect(
      await reasonOf(leia.client.unary(leia.client.directory, leia.client.directory.getUser, byName)),
    ).toBe("USER_NOT_FOUND");
  });
});
