// Scenarios of log-in: who gets in, with what, how often, and who sees it.
import { expect, test } from "vitest";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { comes } from "./presence-seen.ts";

test("name and password are compared whole, in their case: no prefix, no more, no spaces", async () => {
  await using server = await TestServer.start({ users: ["yoda"], lockDurationMs: 1 });
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
  }
  await expect.poll(() => reasonOf(server.anonymous().logIn("yoda", right))).toBe("");
});

test("nothing is done for who is not logged in: no send, no list, no block, no stream", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const nobody = server.anonymous();
  expect(await reasonOf(nobody.send("yoda", "hello"))).toBe("TOKEN_MISSING");
  expect(await reasonOf(nobody.broadcast("hello"))).toBe("TOKEN_MISSING");
  expect(await reasonOf(nobody.whoelse())).toBe("TOKEN_MISSING");
  expect(await reasonOf(nobody.block("yoda"))).toBe("TOKEN_MISSING");
  expect(await reasonOf(nobody.logOut())).toBe("TOKEN_MISSING");
  expect((await nobody.connect().ended)?.reason).toBe("TOKEN_MISSING");
  const luke = await server.logIn("luke");
  expect(await luke.said("yoda")).toEqual([]);
});

test("a stream begins with Hello: a command before it ends the stream, and does nothing", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const luke = await server.logIn("luke");
  const stream = luke.connect(null);
  stream.send("yoda", "too early");
  expect((await stream.ended)?.reason).toBe("HELLO_EXPECTED");
  expect(await luke.said("yoda")).toEqual([]);
});

test("an empty command is refused by name, and the stream goes on", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  const luke = await server.logIn("luke");
  const stream = await luke.connect().caughtUp();
  stream.write({ kind: undefined });
  expect((await stream.next("refused")).reason).toBe(Reason.UNSUPPORTED_COMMAND);
  stream.send("yoda", "and on");
  expect((await stream.next("ack")).seq).toBe(1n);
});

test("sessions-per-user 1: a second log-in is refused while one is online, after the password", async () => {
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

test("sessions-per-user counts who is online: of two that logged in before, one stream is let in", async () => {
  await using server = await TestServer.start({ users: ["yoda"], sessionsPerUser: 1 });
  const [first, second] = [await server.logIn("yoda"), await server.logIn("yoda")];
  const stream = await first.connect().caughtUp();
  expect((await second.connect().ended)?.reason).toBe("TOO_MANY_SESSIONS");
  // More streams of the session that is online are no more sessions.
  await first.connect().caughtUp();
  stream[Symbol.dispose]();
  expect(await second.whoelse()).toEqual([]);
});

test("sessions-per-user 2 lets two in, each as its own device", async () => {
  await using server = await TestServer.start({ users: ["yoda"], sessionsPerUser: 2 });
  for (const yoda of [await server.logIn("yoda"), await server.logIn("yoda")]) {
    await yoda.connect().caughtUp();
  }
  expect(await reasonOf(server.anonymous().logIn("yoda", passwordOf("yoda")))).toBe("TOO_MANY_SESSIONS");
});

test("the stored messages come first, oldest first, then what is live; and the others see the log-in", async () => {
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
  await comes(seen, "yoda");
});

test("the record names each log-in and each refusal, to its user, and everyone's to an administrator alone", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  const stranger = server.anonymous();
  for (let i = 0; i < 4; i++) await reasonOf(stranger.logIn("yoda", "not it"));
  await reasonOf(stranger.logIn("nobody", "not it"));
  const hans = await server.logIn("hans");
  const list = async (allUsers: boolean) => {
    const request = { pageSize: 0, pageToken: "", allUsers };
    return (await hans.unary(hans.auth, hans.auth.listLogIns, request)).logIns;
  };
  expect((await list(false)).map(({ username, outcome }) => [username, outcome])).toEqual([["hans", 1]]);
  expect(await reasonOf(list(true))).toBe("ADMINISTRATORS_ONLY");
  await server.store.accounts.setAdministrator("hans", true);
  const all = await list(true);
  expect(all.map(({ username, outcome, count }) => [username, outcome, count])).toEqual([
    ["hans", 1, 1],
    ["nobody", 2, 1],
    ["yoda", 4, 1],
    ["yoda", 3, 1],
    ["yoda", 2, 2],
  ]);
  expect(all[0]).toMatchObject({ address: "127.0.0.1", deviceId: hans.grant?.device?.deviceId });
});

test("one bad client ends nobody else's session", async () => {
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
