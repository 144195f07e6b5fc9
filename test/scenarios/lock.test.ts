// Scenarios of the lock: after three wrong passwords in a row log-ins are refused for a while, by the operator's rule.
import process from "node:process";
import { expect, test } from "vitest";
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import type { RpcError } from "../../rpc/status/status.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { Wire } from "./wire.ts";

const LOCK_MS = 60_000;

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: ["yoda", "vader"], lock: "strict", ...options });
}

function tryIn(caller: TestClient, name: string, password: string, device?: DeviceKey): Promise<string> {
  return reasonOf(caller.logIn(name, password, device));
}

/** The reasons of so many wrong passwords, one after the other. */
async function fail(caller: TestClient, name: string, times: number): Promise<string[]> {
  const reasons: string[] = [];
  for (let i = 0; i < times; i++) reasons.push(await tryIn(caller, name, "not it"));
  return reasons;
}

const THIRD_LOCKS = ["CREDENTIALS_WRONG", "CREDENTIALS_WRONG", "ACCOUNT_LOCKED"];

test("the third wrong password in a row locks the account for the lock time, also for the right password", async () => {
  const clock = new ManualClock();
  await using server = await start({ lockDurationMs: LOCK_MS, clock });
  const vader = server.anonymous();
  expect(await fail(vader, "vader", 3)).toEqual(THIRD_LOCKS);
  expect(await tryIn(vader, "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  clock.advance(LOCK_MS - 1);
  expect(await tryIn(vader, "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  clock.advance(1);
  expect(await tryIn(vader, "vader", passwordOf("vader"))).toBe("");
});

test("the lock holds on every connection, and for no other user", async () => {
  await using server = await start();
  await fail(server.anonymous(), "vader", 3);
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  expect(await tryIn(server.anonymous(), "yoda", passwordOf("yoda"))).toBe("");
});

test("failures on several connections add up: a new connection starts no new count", async () => {
  await using server = await start();
  const reasons = [];
  for (let i = 0; i < 3; i++) reasons.push(...(await fail(server.anonymous(), "vader", 1)));
  expect(reasons).toEqual(THIRD_LOCKS);
});

// On other systems than Linux the loopback interface has a single address.
test.skipIf(process.platform !== "linux")(
  "failures from several addresses add up, and lock every address",
  async () => {
    await using server = await start();
    const from = async (address: string, password: string): Promise<string> => {
      using wire = await Wire.to(server.port, address);
      using caller = new TestClient(wire.port);
      return await tryIn(caller, "vader", password);
    };
    expect(await from("127.0.0.2", "not it")).toBe("CREDENTIALS_WRONG");
    expect(await from("127.0.0.3", "not it")).toBe("CREDENTIALS_WRONG");
    expect(await from("127.0.0.4", "not it")).toBe("ACCOUNT_LOCKED");
    for (const address of ["127.0.0.2", "127.0.0.5"]) {
      expect(await from(address, passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
    }
  },
);

test("a success starts a new count, and so does the end of a lock", async () => {
  const clock = new ManualClock();
  await using server = await start({ lockDurationMs: LOCK_MS, clock });
  const vader = server.anonymous();
  expect(await fail(vader, "vader", 2)).not.toContain("ACCOUNT_LOCKED");
  expect(await tryIn(vader, "vader", passwordOf("vader"))).toBe("");
  expect(await fail(vader, "vader", 3)).toEqual(THIRD_LOCKS);
  clock.advance(LOCK_MS);
  expect(await tryIn(vader, "vader", "not it")).toBe("CREDENTIALS_WRONG");
  expect(await fail(vader, "vader", 2)).toEqual(["CREDENTIALS_WRONG", "ACCOUNT_LOCKED"]);
});

test("attempts during a lock do not make it longer", async () => {
  await using server = await start();
  const vader = server.anonymous();
  await fail(vader, "vader", 3);
  const delays: number[] = [];
  for (let i = 0; i < 4; i++) {
    const error = await vader.logIn("vader", "not it").catch((refusal: RpcError) => refusal);
    delays.push("retryDelayMs" in error ? (error.retryDelayMs ?? 0) : 0);
  }
  expect(delays.every((delay) => delay > 0 && delay <= 60_000)).toBe(true);
  expect(delays).toEqual(delays.toSorted((a, b) => b - a));
});

test.each(["vader", "nobody"])("concurrent attempts do not slip past the count: %s", async (name) => {
  await using server = await start();
  const callers = Array.from({ length: 20 }, () => server.anonymous());
  const reasons = await Promise.all(callers.map((caller) => tryIn(caller, name, "not it")));
  expect(reasons.filter((reason) => reason === "CREDENTIALS_WRONG")).toHaveLength(2);
  // How many came too thick to be looked at depends on the machine.
  const others = reasons.filter((reason) => !["CREDENTIALS_WRONG", "OVERLOADED"].includes(reason));
  expect(new Set(others)).toEqual(new Set(["ACCOUNT_LOCKED"]));
  expect(await tryIn(server.anonymous(), name, passwordOf(name))).toBe("ACCOUNT_LOCKED");
});

test("a name that nobody has is counted, answered and locked like any other", async () => {
  await using server = await start();
  const answers = async (name: string) => {
    const caller = server.anonymous();
    const told = [];
    for (let i = 0; i < 4; i++) {
      const error = await caller.logIn(name, "not it").catch((refusal: RpcError) => refusal);
      if (!("reason" in error)) throw new Error("let in");
      const { code, reason, message, field, retryDelayMs } = error;
      // The lock begins with its whole length; of one that goes on, what is left differs by what passed meanwhile.
      const delay = i < 3 ? retryDelayMs : retryDelayMs !== undefined;
      told.push({ code, reason, message, field, delay });
    }
    return told;
  };
  const nobodys = await answers("nobody");
  expect(nobodys.map(({ reason, delay }) => [reason, delay])).toEqual([
    ["CREDENTIALS_WRONG", undefined],
    ["CREDENTIALS_WRONG", undefined],
    ["ACCOUNT_LOCKED", 60_000],
    ["ACCOUNT_LOCKED", true],
  ]);
  expect(nobodys).toEqual(await answers("vader"));
});

test("names are counted as they are written: another case is another name", async () => {
  await using server = await start();
  await fail(server.anonymous(), "Vader", 3);
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("");
});

test("a lock and a count survive a restart", async () => {
  await using server = await start();
  await fail(server.anonymous(), "vader", 3);
  await fail(server.anonymous(), "yoda", 2);
  await server.stop();
  await server.start();
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  expect(await tryIn(server.anonymous(), "yoda", "not it")).toBe("ACCOUNT_LOCKED");
});

test("strict: a stranger locks the owner's own device as well", async () => {
  await using server = await start();
  const device = (await server.logIn("vader")).grant?.device;
  await fail(server.anonymous(), "vader", 3);
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"), device)).toBe("ACCOUNT_LOCKED");
});

test("spare-known: a stranger locks strangers, and a new device of the owner's, but no known one", async () => {
  await using server = await start({ lock: "spare-known" });
  const device = (await server.logIn("vader")).grant?.device;
  await fail(server.anonymous(), "vader", 3);
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"), device)).toBe("");
});

test("spare-known: the failures of a known device lock that device alone", async () => {
  await using server = await start({ lock: "spare-known" });
  const context = (await server.logIn("vader")).grant?.device;
  const phone = (await server.logIn("vader")).grant?.device;
  const caller = server.anonymous();
  const reasons: string[] = [];
  for (let i = 0; i < 3; i++) reasons.push(await tryIn(caller, "vader", "not it", context));
  expect(reasons).toEqual(THIRD_LOCKS);
  expect(await tryIn(caller, "vader", passwordOf("vader"), context)).toBe("ACCOUNT_LOCKED");
  expect(await tryIn(caller, "vader", passwordOf("vader"), phone)).toBe("");
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("");
});

test("spare-known: a known device of another user, or without its secret, is a stranger's", async () => {
  await using server = await start({ lock: "spare-known" });
  const yodas = (await server.logIn("yoda")).grant?.device;
  const own = (await server.logIn("vader")).grant?.device;
  const made = { deviceId: own?.deviceId ?? "", deviceSecret: "made up" };
  const caller = server.anonymous();
  expect([
    await tryIn(caller, "vader", "not it", yodas),
    await tryIn(caller, "vader", "not it", made),
    await tryIn(caller, "vader", "not it"),
  ]).toEqual(THIRD_LOCKS);
  expect(await tryIn(caller, "vader", passwordOf("vader"), own)).toBe("");
  expect(await tryIn(caller, "yoda", passwordOf("yoda"), yodas)).toBe("");
});

test("a lock ends no session that is there", async () => {
  await using server = await start();
  const vader = await server.logIn("vader");
  const stream = await vader.connect().caughtUp();
  await fail(server.anonymous(), "vader", 3);
  await vader.send("yoda", "I am still here");
  expect(await stream.nextText()).toBe("I am still here");
});

test("a wrong old password counts for that device alone, when a password is changed", async () => {
  await using server = await start();
  const vader = await server.logIn("vader");
  const change = () =>
    reasonOf(
      vader.unary(vader.auth, vader.auth.changePassword, {
        oldPassword: "not it",
        newPassword: "a new password",
      }),
    );
  expect([await change(), await change(), await change()]).toEqual(THIRD_LOCKS);
  expect(await tryIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("");
});
