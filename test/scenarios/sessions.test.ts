// Scenarios of sessions-per-user: how many of one user are in at once, and who makes room for whom.
import { describe, expect, test } from "vitest";
import { reasonOf } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passUntil } from "../support/passing-time.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { transports } from "./transports.ts";

const people = ["yoda", "hans"];

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: people, sessionsPerUser: 1, ...options });
}

function tryIn(server: TestServer, name: string, password = passwordOf(name)): Promise<string> {
  return reasonOf(server.anonymous().logIn(name, password));
}

describe.each(transports)("through $name", ({ here, hereByWire, open }) => {
  test("a refused second log-in leaves the one who is there as before, and concerns no other user", async () => {
    await using server = await start();
    const yoda = await here(server, "yoda");
    expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    const hans = await here(server, "hans");
    expect(await hans.client.whoelse()).toEqual(["yoda"]);
    await hans.send("yoda", "still you?");
    expect(await yoda.stream.nextText()).toBe("still you?");
  });

  test("a log-in refused for the number of sessions is no wrong password", async () => {
    await using server = await start({ lock: "strict" });
    await here(server, "yoda");
    for (let i = 0; i < 3; i++) expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    for (let i = 0; i < 2; i++) expect(await tryIn(server, "yoda", "not it")).toBe("CREDENTIALS_WRONG");
  });

  test("of two log-ins before any stream the second stream is refused, and let in when the first has logged out", async () => {
    await using server = await start();
    const [first, second] = [await server.logIn("yoda"), await server.logIn("yoda")];
    const stream = await open(first).caughtUp();
    expect(await open(second).ended).toMatchObject({ reason: "TOO_MANY_SESSIONS" });
    await first.logOut();
    await stream.ended;
    await open(second).caughtUp();
  });

  test("of five streams at once, each of another log-in, one is let in", async () => {
    await using server = await start();
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.logIn("yoda")));
    const outcomes = await Promise.all(
      clients.map((client) => {
        const stream = open(client);
        return stream.caughtUp().then(
          () => "in",
          async () => (await stream.ended)?.reason,
        );
      }),
    );
    expect(outcomes.toSorted()).toEqual([...Array<string>(4).fill("TOO_MANY_SESSIONS"), "in"]);
  });

  test("a lost connection keeps its place for the grace: only its own session may return", async () => {
    await using server = await start({ presenceGraceMs: 3_600_000 });
    const yoda = await here(server, "yoda");
    yoda.stream[Symbol.dispose]();
    await yoda.stream.ended;
    expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    await open(yoda.client).caughtUp();
  });

  test("a lost connection makes room when the grace ends", async () => {
    const clock = new ManualClock();
    await using server = await start({ presenceGraceMs: 10_000, clock });
    const { client, wire } = await hereByWire(server, "yoda");
    using _yoda = client;
    expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    wire[Symbol.dispose]();
    const free = async (): Promise<void> => {
      while ((await tryIn(server, "yoda")) === "TOO_MANY_SESSIONS");
    };
    await passUntil(free(), { server, clock, stepMs: 1_000 });
  });

  test("a session that timed out makes room immediately", async () => {
    const clock = new ManualClock();
    await using server = await start({ idleTimeoutMs: 60_000, presenceGraceMs: 3_600_000, clock });
    const yoda = await here(server, "yoda");
    expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    const ending = await passUntil(yoda.stream.ended, { server, clock, stepMs: 6_000 });
    expect(ending?.reason).toBe("SESSION_TIMED_OUT");
    expect(await tryIn(server, "yoda")).toBe("");
  });

  test("a session that was revoked makes room", async () => {
    await using server = await start({ sessionsPerUser: 2 });
    const context = await here(server, "yoda");
    const phone = await here(server, "yoda");
    expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
    const sessionId = phone.client.grant?.sessionId ?? "";
    await context.client.unary(context.client.auth, context.client.auth.revokeSession, { sessionId });
    expect((await phone.stream.ended)?.reason).toBe("SESSION_ENDED");
    expect(await tryIn(server, "yoda")).toBe("");
  });
});
