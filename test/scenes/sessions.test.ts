// Scenes of sessions-per-user: how many of one user are in at once, and who makes room for whom.
import { expect, test } from "vitest";
import { reasonOf } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { online, onlineByWire } from "./online.ts";

const people = ["yoda", "hans"];

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: people, sessionsPerUser: 1, ...options });
}

function tryIn(server: TestServer, name: string, password = passwordOf(name)): Promise<string> {
  return reasonOf(server.anonymous().logIn(name, password));
}

test("a refused second log-in leaves the one who is there as before, and concerns no other user", async () => {
  await using server = await start();
  const yoda = await online(server, "yoda");
  expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  const hans = await online(server, "hans");
  expect(await hans.client.whoelse()).toEqual(["yoda"]);
  await hans.client.send("yoda", "still you?");
  expect(await yoda.stream.nextText()).toBe("still you?");
});

test("a log-in refused for the number of sessions is no wrong password", async () => {
  await using server = await start({ lock: "strict" });
  await online(server, "yoda");
  for (let i = 0; i < 3; i++) expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  for (let i = 0; i < 2; i++) expect(await tryIn(server, "yoda", "not it")).toBe("CREDENTIALS_WRONG");
});

test("of two log-ins before any stream the second stream is refused, and let in when the first has logged out", async () => {
  await using server = await start();
  const [first, second] = [await server.logIn("yoda"), await server.logIn("yoda")];
  const stream = await first.connect().caughtUp();
  const refused = await second.connect().ended;
  expect(refused).toMatchObject({ reason: "TOO_MANY_SESSIONS" });
  expect((await second.follow().ended)?.reason).toBe("TOO_MANY_SESSIONS");
  await first.logOut();
  await stream.ended;
  await second.connect().caughtUp();
});

test("of five streams at once, each of another log-in, one is let in", async () => {
  await using server = await start();
  const clients = await Promise.all(Array.from({ length: 5 }, () => server.logIn("yoda")));
  const outcomes = await Promise.all(
    clients.map((client) => {
      const stream = client.connect();
      return stream.caughtUp().then(
        () => "in",
        async () => (await stream.ended)?.reason,
      );
    }),
  );
  expect(outcomes.toSorted()).toEqual([...Array<string>(4).fill("TOO_MANY_SESSIONS"), "in"]);
});

test("a connection that is lost keeps its place for the grace: its own session is let in again, no other", async () => {
  await using server = await start({ presenceGraceMs: 3_600_000 });
  const yoda = await online(server, "yoda");
  yoda.stream[Symbol.dispose]();
  await yoda.stream.ended;
  expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  await yoda.client.connect().caughtUp();
});

test("a connection that is lost makes room when the grace is over", async () => {
  await using server = await start({ presenceGraceMs: 50 });
  const { client, wire } = await onlineByWire(server, "yoda");
  using _yoda = client;
  expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  wire[Symbol.dispose]();
  await expect.poll(() => tryIn(server, "yoda"), { timeout: 5_000 }).toBe("");
});

test("a session that timed out makes room at once", async () => {
  await using server = await start({ idleTimeoutMs: 700, presenceGraceMs: 3_600_000 });
  const yoda = await online(server, "yoda");
  expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  expect((await yoda.stream.ended)?.reason).toBe("SESSION_TIMED_OUT");
  expect(await tryIn(server, "yoda")).toBe("");
});

test("a session that was revoked makes room", async () => {
  await using server = await start({ sessionsPerUser: 2 });
  const desk = await online(server, "yoda");
  const phone = await online(server, "yoda");
  expect(await tryIn(server, "yoda")).toBe("TOO_MANY_SESSIONS");
  const sessionId = phone.client.grant?.sessionId ?? "";
  await desk.client.unary(desk.client.auth, desk.client.auth.revokeSession, { sessionId });
  expect((await phone.stream.ended)?.reason).toBe("SESSION_ENDED");
  expect(await tryIn(server, "yoda")).toBe("");
});
