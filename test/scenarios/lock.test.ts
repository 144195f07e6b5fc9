// Scenarios of the lock: after three wrong passwords in a row, log-ins are refused for some time.
import process from "node:process";
import { expect, test } from "vitest";
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import type { RpcError } from "../../rpc/status/status.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const LOCK_MS = 60_000;

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ users: ["yoda", "vader"], lock: "strict", ...options });
}

/** The reason of the refusal, or "" if the user is logged in. */
function tryLogIn(caller: TestClient, name: string, password: string, device?: DeviceKey): Promise<string> {
  return reasonOf(caller.logIn(name, password, device));
}

/** Tries that many wrong passwords in a row. @returns the reasons of the refusals */
async function fail(caller: TestClient, name: string, times: number): Promise<string[]> {
  const reasons: string[] = [];
  for (let i = 0; i < times; i++) reasons.push(await tryLogIn(caller, name, "not it"));
  return reasons;
}

const THIRD_LOCKS = ["CREDENTIALS_WRONG", "CREDENTIALS_WRONG", "ACCOUNT_LOCKED"];

test("the third wrong password in a row locks the account for the lock time, also for the right password", async () => {
  const clock = new ManualClock();
  await using server = await start({ lockDurationMs: LOCK_MS, clock });
  const vader = server.anonymous();
  expect(await fail(vader, "vader", 3)).toEqual(THIRD_LOCKS);
  expect(await tryLogIn(vader, "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  clock.advance(LOCK_MS - 1);
  expect(await tryLogIn(vader, "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  clock.advance(1);
  expect(await tryLogIn(vader, "vader", passwordOf("vader"))).toBe("");
});

test("the lock applies to every connection, and to no other user", async () => {
  await using server = await start();
  await fail(server.anonymous(), "vader", 3);
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  expect(await tryLogIn(server.anonymous(), "yoda", passwordOf("yoda"))).toBe("");
});

test("failures on several connections are counted together", async () => {
  await using server = await start();
  const reasons = [];
  for (let i = 0; i < 3; i++) reasons.push(...(await fail(server.anonymous(), "vader", 1)));
  expect(reasons).toEqual(THIRD_LOCKS);
});

// On other systems than Linux the loopback interface has a single address.
test.skipIf(process.platform !== "linux")(
  "failures from several addresses are counted together, and lock every address",
  async () => {
    await using server = await start();
    const from = async (address: string, password: string): Promise<string> => {
      using proxy = await TcpProxy.start(server.port, address);
      using caller = new TestClient(proxy.port);
      return await tryLogIn(caller, "vader", password);
    };
    expect(await from("127.0.0.2", "not it")).toBe("CREDENTIALS_WRONG");
    expect(await from("127.0.0.3", "not it")).toBe("CREDENTIALS_WRONG");
    expect(await from("127.0.0.4", "not it")).toBe("ACCOUNT_LOCKED");
    for (const address of ["127.0.0.2", "127.0.0.5"]) {
      expect(await from(address, passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
    }
  },
);

test("a successful log-in and the end of a lock each reset the count", async () => {
  const clock = new ManualClock();
  await using server = await start({ lockDurationMs: LOCK_MS, clock });
  const vader = server.anonymous();
  expect(await fail(vader, "vader", 2)).not.toContain("ACCOUNT_LOCKED");
  expect(await tryLogIn(vader, "vader", passwordOf("vader"))).toBe("");
  expect(await fail(vader, "vader", 3)).toEqual(THIRD_LOCKS);
  clock.advance(LOCK_MS);
  expect(await tryLogIn(vader, "vader", "not it")).toBe("CREDENTIALS_WRONG");
  expect(await fail(vader, "vader", 2)).toEqual(["CREDENTIALS_WRONG", "ACCOUNT_LOCKED"]);
});

test("attempts during a lock do not extend it", async () => {
  const clock = new ManualClock();
  await using server = await start({ lockDurationMs: LOCK_MS, clock });
  const vader = server.anonymous();
  await fail(vader, "vader", 3);
  const delays: number[] = [];
  for (let i = 0; i < 4; i++) {
    clock.advance(1_000);
    const error = await vader.logIn("vader", "not it").catch((refusal: RpcError) => refusal);
    delays.push("retryDelayMs" in error ? (error.retryDelayMs ?? 0) : 0);
  }
  expect(delays).toEqual([59_000, 58_000, 57_000, 56_000]);
});

test.each(["vader", "nobody"])("concurrent attempts cannot exceed the limit: %s", async (name) => {
  await using server = await start();
  const callers = Array.from({ length: 20 }, () => server.anonymous());
  const reasons = await Promise.all(callers.map((caller) => tryLogIn(caller, name, "not it")));
  expect(reasons.filter((reason) => reason === "CREDENTIALS_WRONG")).toHaveLength(2);
  // The number of attempts that are refused as OVERLOADED depends on the machine.
  const others = reasons.filter((reason) => !["CREDENTIALS_WRONG", "OVERLOADED"].includes(reason));
  expect(new Set(others)).toEqual(new Set(["ACCOUNT_LOCKED"]));
  expect(await tryLogIn(server.anonymous(), name, passwordOf(name))).toBe("ACCOUNT_LOCKED");
});

test("an unknown name is counted, answered and locked like any other", async () => {
  const clock = new ManualClock();
  await using server = await start({ lockDurationMs: LOCK_MS, clock });
  const answersTo = async (name: string) => {
    const caller = server.anonymous();
    const answers = [];
    for (let i = 0; i < 4; i++) {
      const error = await caller.logIn(name, "not it").catch((refusal: RpcError) => refusal);
      if (!("reason" in error)) throw new Error("logged in");
      const { code, reason, message, field, retryDelayMs } = error;
      answers.push({ code, reason, message, field, retryDelayMs });
    }
    return answers;
  };
  const ofUnknown = await answersTo("nobody");
  expect(ofUnknown.map(({ reason, retryDelayMs }) => [reason, retryDelayMs])).toEqual([
    ["CREDENTIALS_WRONG", undefined],
    ["CREDENTIALS_WRONG", undefined],
    ["ACCOUNT_LOCKED", 60_000],
    ["ACCOUNT_LOCKED", 60_000],
  ]);
  expect(ofUnknown).toEqual(await answersTo("vader"));
});

test("failures are counted for the exact name: another case is another name", async () => {
  await using server = await start();
  await fail(server.anonymous(), "Vader", 3);
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("");
});

test("a lock and a count survive a restart", async () => {
  await using server = await start();
  await fail(server.anonymous(), "vader", 3);
  await fail(server.anonymous(), "yoda", 2);
  await server.stop();
  await server.start();
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  expect(await tryLogIn(server.anonymous(), "yoda", "not it")).toBe("ACCOUNT_LOCKED");
});

test("strict: wrong passwords of an unknown device also lock the user's own device", async () => {
  await using server = await start();
  const device = (await server.logIn("vader")).grant?.device;
  await fail(server.anonymous(), "vader", 3);
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"), device)).toBe("ACCOUNT_LOCKED");
});

test("spare-known: wrong passwords of an unknown device lock unknown devices, also new ones of the user, but no known device", async () => {
  await using server = await start({ lock: "spare-known" });
  const device = (await server.logIn("vader")).grant?.device;
  await fail(server.anonymous(), "vader", 3);
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("ACCOUNT_LOCKED");
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"), device)).toBe("");
});

test("spare-known: the failures of a known device lock that device alone", async () => {
  await using server = await start({ lock: "spare-known" });
  const laptop = (await server.logIn("vader")).grant?.device;
  const phone = (await server.logIn("vader")).grant?.device;
  const caller = server.anonymous();
  const reasons: string[] = [];
  for (let i = 0; i < 3; i++) reasons.push(await tryLogIn(caller, "vader", "not it", laptop));
  expect(reasons).toEqual(THIRD_LOCKS);
  expect(await tryLogIn(caller, "vader", passwordOf("vader"), laptop)).toBe("ACCOUNT_LOCKED");
  expect(await tryLogIn(caller, "vader", passwordOf("vader"), phone)).toBe("");
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("");
});

test("spare-known: another user's device, or a device without its secret, counts as an unknown device", async () => {
  await using server = await start({ lock: "spare-known" });
  const yodas = (await server.logIn("yoda")).grant?.device;
  const own = (await server.logIn("vader")).grant?.device;
  const made = { deviceId: own?.deviceId ?? "", deviceSecret: "made up" };
  const caller = server.anonymous();
  expect([
    await tryLogIn(caller, "vader", "not it", yodas),
    await tryLogIn(caller, "vader", "not it", made),
    await tryLogIn(caller, "vader", "not it"),
  ]).toEqual(THIRD_LOCKS);
  expect(await tryLogIn(caller, "vader", passwordOf("vader"), own)).toBe("");
  expect(await tryLogIn(caller, "yoda", passwordOf("yoda"), yodas)).toBe("");
});

test.each(["vader", "nobody"])(
  "each further lock in a row lasts twice as long, up to an hour: %s",
  async (name) => {
    const clock = new ManualClock();
    await using server = await start({ lock: "spare-known", lockDurationMs: LOCK_MS, clock });
    const minutes: number[] = [];
    for (let lock = 0; lock < 8; lock++) {
      await fail(server.anonymous(), name, 3);
      const error = await server
        .anonymous()
        .logIn(name, "not it")
        .catch((refusal: RpcError) => refusal);
      const delay = "retryDelayMs" in error ? (error.retryDelayMs ?? 0) : 0;
      minutes.push(delay / LOCK_MS);
      clock.advance(delay - 1);
      expect(await tryLogIn(server.anonymous(), name, "not it")).toBe("ACCOUNT_LOCKED");
      clock.advance(1);
    }
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  },
);

test("a right password, or a day after the last lock, makes the next lock a short one", async () => {
  const clock = new ManualClock();
  await using server = await start({ lock: "spare-known", lockDurationMs: LOCK_MS, clock });
  const caller = server.anonymous();
  const lockTwice = async (): Promise<void> => {
    await fail(caller, "vader", 3);
    clock.advance(LOCK_MS);
    await fail(caller, "vader", 3);
    clock.advance(LOCK_MS);
    expect(await tryLogIn(caller, "vader", "not it")).toBe("ACCOUNT_LOCKED");
    clock.advance(LOCK_MS);
  };
  await lockTwice();
  expect(await tryLogIn(caller, "vader", passwordOf("vader"))).toBe("");
  await lockTwice();
  clock.advance(24 * 60 * 60_000);
  await fail(caller, "vader", 2);
  clock.advance(1);
  await lockTwice();
});

test("strict: every lock lasts as long as the first", async () => {
  const clock = new ManualClock();
  await using server = await start({ lock: "strict", lockDurationMs: LOCK_MS, clock });
  const caller = server.anonymous();
  for (let lock = 0; lock < 3; lock++) {
    expect(await fail(caller, "vader", 3)).toEqual(THIRD_LOCKS);
    clock.advance(LOCK_MS);
  }
  expect(await tryLogIn(caller, "vader", passwordOf("vader"))).toBe("");
});

test("a lock ends no existing session", async () => {
  await using server = await start();
  const vader = await server.logIn("vader");
  const stream = await vader.connect().caughtUp();
  await fail(server.anonymous(), "vader", 3);
  await vader.send("yoda", "I am still here");
  expect(await stream.nextText()).toBe("I am still here");
});

test("a wrong old password in a password change counts for that device only", async () => {
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
  expect(await tryLogIn(server.anonymous(), "vader", passwordOf("vader"))).toBe("");
});
