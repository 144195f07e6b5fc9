// Scenarios of sessions-per-user: how many sessions of one user may be online, and when a place becomes free.
import { describe, expect, test } from "vitest";
import { reasonOf } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { advanceUntil } from "../support/passing-time.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { transports } from "./transports.ts";

const people = ["yoda", "hans"];

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: people, sessionsPerUser: 1, ...options });
}

/** The reason of the refusal, or "" if the user is logged in. */
function tryLogIn(server: TestServer, name: string, password = passwordOf(name)): Promise<string> {
  return reasonOf(server.anonymous().logIn(name, password));
}

describe.each(transports)("through $name", ({ online, onlineThroughProxy, open }) => {
  test("a refused second log-in does not affect the first session or other users", async () => {
    await using server = await start();
    const yoda = await online(server, "yoda");
    expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    const hans = await online(server, "hans");
    expect(await hans.client.whoelse()).toEqual(["yoda"]);
    await hans.send("yoda", "still you?");
    expect(await yoda.stream.nextText()).toBe("still you?");
  });

  test("a log-in that is refused for the number of sessions does not count as a wrong password", async () => {
    await using server = await start({ lock: "strict" });
    await online(server, "yoda");
    for (let i = 0; i < 3; i++) expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    for (let i = 0; i < 2; i++) expect(await tryLogIn(server, "yoda", "not it")).toBe("CREDENTIALS_WRONG");
  });

  test("after two log-ins the second stream is refused until the first session has logged out", async () => {
    await using server = await start();
    const [first, second] = [await server.logIn("yoda"), await server.logIn("yoda")];
    const stream = await open(first).caughtUp();
    expect(await open(second).ended).toMatchObject({ reason: "TOO_MANY_SESSIONS" });
    await first.logOut();
    await stream.ended;
    await open(second).caughtUp();
  });

  test("of five streams that sessions open at the same time, one is admitted", async () => {
    await using server = await start();
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.logIn("yoda")));
    const outcomes = await Promise.all(
      clients.map((client) => {
        const stream = open(client);
        return stream.caughtUp().then(
          () => "admitted",
          async () => (await stream.ended)?.reason,
        );
      }),
    );
    expect(outcomes.toSorted()).toEqual([...Array<string>(4).fill("TOO_MANY_SESSIONS"), "admitted"]);
  });

  test("a lost connection keeps its place during the grace period, and only its session can use it", async () => {
    await using server = await start({ presenceGraceMs: 3_600_000 });
    const yoda = await online(server, "yoda");
    yoda.stream[Symbol.dispose]();
    await yoda.stream.ended;
    expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    await open(yoda.client).caughtUp();
  });

  test("a lost connection frees its place when the grace period ends", async () => {
    const clock = new ManualClock();
    await using server = await start({ presenceGraceMs: 10_000, clock });
    const { client, proxy } = await onlineThroughProxy(server, "yoda");
    using _client = client;
    expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    proxy[Symbol.dispose]();
    const free = async (): Promise<void> => {
      while ((await tryLogIn(server, "yoda")) === "TOO_MANY_SESSIONS");
    };
    await advanceUntil(free(), { server, clock, stepMs: 1_000 });
  });

  test("a session that timed out frees its place immediately", async () => {
    const clock = new ManualClock();
    await using server = await start({ idleTimeoutMs: 60_000, presenceGraceMs: 3_600_000, clock });
    const yoda = await online(server, "yoda");
    expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    const ending = await advanceUntil(yoda.stream.ended, { server, clock, stepMs: 6_000 });
    expect(ending?.reason).toBe("SESSION_TIMED_OUT");
    expect(await tryLogIn(server, "yoda")).toBe("");
  });

  test("a session that was revoked frees its place", async () => {
    await using server = await start({ sessionsPerUser: 2 });
    const laptop = await online(server, "yoda");
    const phone = await online(server, "yoda");
    expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    const sessionId = phone.client.grant?.sessionId ?? "";
    await laptop.client.unary(laptop.client.auth, laptop.client.auth.revokeSession, { sessionId });
    expect((await phone.stream.ended)?.reason).toBe("SESSION_ENDED");
    expect(await tryLogIn(server, "yoda")).toBe("");
  });
});

// Only a Connect stream can be half-closed; its end shows that the server has noticed.
test("a place becomes free exactly when the grace period ends", async () => {
  const clock = new ManualClock();
  await using server = await start({ presenceGraceMs: 10_000, clock });
  const yoda = await connectUser(server, "yoda");
  yoda.stream.halfClose();
  await yoda.stream.ended;
  clock.advance(9_999);
  expect(await tryLogIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  clock.advance(1);
  expect(await tryLogIn(server, "yoda")).toBe("");
});
