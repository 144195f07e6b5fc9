// Scenarios of log-in: which credentials are accepted, how many sessions, and what other users see.
import { expect, test } from "vitest";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { waitUntilOnline } from "./presence-events.ts";

test("name and password are compared exactly: no prefix, no longer text, no other case, no spaces", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["yoda"], lockDurationMs: 60_000, clock });
  const right = passwordOf("yoda");
  const tries: [string, string][] = [
    ["yoda", right.slice(0, -1)],
    ["yoda", `${right}x`],
    ["yoda", right.toUpperCase()],
    ["yoda", ` ${right}`],
    ["Yoda", right],
    ["yoda ", right],
    ["yod", right],
    ["уoda", right],
  ];
  for (const [name, password] of tries) {
    expect(await reasonOf(server.anonymous().logIn(name, password)), `${name} ${password}`).toMatch(
      /^(?:CREDENTIALS_WRONG|ACCOUNT_LOCKED)$/,
    );
    // Ends a lock, so that each attempt is compared.
    clock.advance(60_000);
  }
  expect(await reasonOf(server.anonymous().logIn("yoda", right))).toBe("");
});

test("without a log-in every call and stream is refused", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const caller = server.anonymous();
  expect(await reasonOf(caller.send("yoda", "hello"))).toBe("TOKEN_MISSING");
  expect(await reasonOf(caller.broadcast("hello"))).toBe("TOKEN_MISSING");
  expect(await reasonOf(caller.whoelse())).toBe("TOKEN_MISSING");
  expect(await reasonOf(caller.block("yoda"))).toBe("TOKEN_MISSING");
  expect(await reasonOf(caller.logOut())).toBe("TOKEN_MISSING");
  expect((await caller.connect().ended)?.reason).toBe("TOKEN_MISSING");
  const luke = await server.logIn("luke");
  expect(await luke.textsWith("yoda")).toEqual([]);
});

test("a command before Hello ends the stream and has no effect", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const luke = await server.logIn("luke");
  const stream = luke.connect(null);
  stream.send("yoda", "too early");
  expect((await stream.ended)?.reason).toBe("HELLO_EXPECTED");
  expect(await luke.textsWith("yoda")).toEqual([]);
});

test("an empty command is refused with a reason, and the stream continues", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const luke = await server.logIn("luke");
  const stream = await luke.connect().caughtUp();
  stream.write({ kind: undefined });
  expect((await stream.next("refused")).reason).toBe(Reason.UNSUPPORTED_COMMAND);
  stream.send("yoda", "next");
  expect((await stream.next("ack")).seq).toBe(1n);
});

test("sessions-per-user 1: a second log-in is refused while a session is online, after the password is checked", async () => {
  await using server = await TestServer.start({ users: ["yoda"], sessionsPerUser: 1 });
  const yoda = await server.logIn("yoda");
  await yoda.connect().caughtUp();
  const second = server.anonymous();
  expect(await reasonOf(second.logIn("yoda", "not it"))).toBe("CREDENTIALS_WRONG");
  const error = await second.logIn("yoda", passwordOf("yoda")).catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({
    reason: "TOO_MANY_SESSIONS",
    message: "You are logged in already. Log out of the other session first.",
  });
  await yoda.logOut();
  expect(await reasonOf(second.logIn("yoda", passwordOf("yoda")))).toBe("");
});

test("sessions-per-user counts sessions that are online: of two earlier log-ins, one may open streams", async () => {
  await using server = await TestServer.start({ users: ["yoda"], sessionsPerUser: 1 });
  const [first, second] = [await server.logIn("yoda"), await server.logIn("yoda")];
  const stream = await first.connect().caughtUp();
  expect((await second.connect().ended)?.reason).toBe("TOO_MANY_SESSIONS");
  // A second stream of the same session is not a second session.
  await first.connect().caughtUp();
  stream[Symbol.dispose]();
  expect(await second.whoelse()).toEqual([]);
});

test("sessions-per-user 2 admits two sessions, each of its own device", async () => {
  await using server = await TestServer.start({ users: ["yoda"], sessionsPerUser: 2 });
  for (const yoda of [await server.logIn("yoda"), await server.logIn("yoda")]) {
    await yoda.connect().caughtUp();
  }
  expect(await reasonOf(server.anonymous().logIn("yoda", passwordOf("yoda")))).toBe("TOO_MANY_SESSIONS");
});

test("a stream begins with the stored messages, oldest first, and other users see the log-in", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  const hans = await server.logIn("hans");
  const seen = await hans.connect().caughtUp();
  for (const text of ["one", "two", "three"]) await hans.send("yoda", text);
  const yoda = (await server.logIn("yoda")).connect();
  expect([await yoda.nextText(), await yoda.nextText(), await yoda.nextText()]).toEqual([
    "one",
    "two",
    "three",
  ]);
  await yoda.caughtUp();
  await waitUntilOnline(seen, "yoda");
});

test("users see their own log-ins and refusals in the record, and only an administrator sees those of all users", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  const caller = server.anonymous();
  for (let i = 0; i < 4; i++) await reasonOf(caller.logIn("yoda", "not it"));
  await reasonOf(caller.logIn("nobody", "not it"));
  const hans = await server.logIn("hans");
  const list = async (allUsers: boolean) => {
    const request = { pageSize: 0, pageToken: "", allUsers, username: "" };
    return (await hans.unary(hans.auth, hans.auth.listLogIns, request)).logIns;
  };
  expect((await list(false)).map(({ username, outcome }) => [username, outcome])).toEqual([["hans", 1]]);
  expect(await reasonOf(list(true))).toBe("ADMINISTRATORS_ONLY");
  await server.store.accounts.setAdministrator("hans", true);
  const all = await list(true);
  expect(all.map(({ username, outcome, count }) => [username, outcome, count])).toEqual([
    ["hans", 1, 1],
    ["no… (6 characters)", 2, 1],
    ["yoda", 4, 1],
    ["yoda", 3, 1],
    ["yoda", 2, 2],
  ]);
  expect(all[0]).toMatchObject({ address: "127.0.0.1", deviceId: hans.grant?.device?.deviceId });
});

test("a client that breaks the protocol does not end the sessions of others", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  const yoda = await server.logIn("yoda");
  const stream = await yoda.connect().caughtUp();
  const bad = new TestClient(server.port);
  await bad.logIn("hans", passwordOf("hans"));
  const call = bad.connect();
  await call.caughtUp();
  call.write({
    kind: { $case: "hello", value: { client: undefined, features: [], cursors: [], processId: "" } },
  });
  expect((await call.ended)?.reason).toBe("HELLO_REPEATED");
  bad[Symbol.dispose]();
  const hans = await server.logIn("hans");
  await hans.send("yoda", "all is well");
  expect(await stream.nextText()).toBe("all is well");
});
