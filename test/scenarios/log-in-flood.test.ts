// Scenarios of floods: log-ins and sign-ups with invented names do not keep others out, and cost few password hashes.
import process from "node:process";
import { expect, test } from "vitest";
import type { RpcError } from "../../rpc/status/status.ts";
import { Passwords } from "../../server/auth/passwords.ts";
import { CHEAP } from "../support/cheap-passwords.ts";
import { reasonOf, TestClient } from "../support/client.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** Passwords that count their hashes. */
class CountingPasswords extends Passwords {
  hashes = 0;

  override hash(...args: Parameters<Passwords["hash"]>): Promise<string> {
    this.hashes++;
    return super.hash(...args);
  }

  override verifyAgainstNothing(...args: Parameters<Passwords["verifyAgainstNothing"]>): Promise<false> {
    this.hashes++;
    return super.verifyAgainstNothing(...args);
  }
}

const counting = (): CountingPasswords =>
  new CountingPasswords({ cost: CHEAP, queue: 1000, queueOfOne: 1000 });

/** How long the server holds an answer beyond the rate, ms. The rate allows one more attempt in this time. */
const HELD_MS = 1_000;

/** Resolves when the server has read everything that was sent on the client's connection before. */
async function hasRead(client: TestClient): Promise<void> {
  await reasonOf(client.unary(client.auth, client.auth.listSessions, { pageSize: 0, pageToken: "" }));
}

/** The answer that the server holds. */
async function heldAnswer(clock: ManualClock, caller: TestClient, answer: Promise<string>): Promise<string> {
  let isAnswered = false;
  const note = (): void => {
    isAnswered = true;
  };
  answer.then(note, note);
  await hasRead(caller);
  expect(isAnswered).toBe(false);
  clock.advance(HELD_MS);
  return answer;
}

const guess = (caller: TestClient, name: string): Promise<string> => reasonOf(caller.logIn(name, "not it"));

/** Uses up the rate with invented names, on one connection, and tries more. @returns the reasons of the answers */
async function flood(clock: ManualClock, caller: TestClient): Promise<Set<string>> {
  const within = Array.from({ length: 60 }, (_, index) => guess(caller, `nobody ${index}`));
  const beyond = Array.from({ length: 90 }, (_, index) => guess(caller, `nobody ${100 + index}`));
  expect(new Set(await Promise.all(within))).toEqual(new Set(["CREDENTIALS_WRONG"]));
  await hasRead(caller);
  clock.advance(HELD_MS);
  const reasons = new Set(await Promise.all(beyond));
  expect(await guess(caller, "nobody")).toBe("CREDENTIALS_WRONG");
  return reasons;
}

test("during a flood from one network, its known devices get in, and so does a new device elsewhere", async () => {
  const clock = new ManualClock();
  const passwords = counting();
  await using server = await TestServer.start({ users: ["yoda", "leia"], clock, passwords });
  const device = (await server.logIn("yoda")).grant?.device;
  passwords.hashes = 0;
  expect(await flood(clock, server.anonymous())).toEqual(new Set(["RATE_LIMITED"]));
  expect(passwords.hashes).toBe(61);

  for (let attempt = 0; attempt < 12; attempt++) await server.logIn("yoda", device);
  const leia = server.anonymous();
  const here = reasonOf(leia.logIn("leia", passwordOf("leia")));
  if (process.platform === "linux") {
    using proxy = await TcpProxy.start(server.port, "127.0.0.9");
    using elsewhere = new TestClient(proxy.port);
    await elsewhere.logIn("leia", passwordOf("leia"));
  }
  expect(await heldAnswer(clock, leia, here)).toBe("RATE_LIMITED");
  // The rate comes back with time.
  clock.advance(60_000);
  await server.logIn("leia");
});

test("a refusal beyond the rate is answered late, with a delay", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["yoda"], clock });
  const caller = server.anonymous();
  await flood(clock, caller);
  let delay: unknown;
  const answer = caller.logIn("nobody", "not it").catch((error: RpcError) => {
    delay = error.retryDelayMs;
    return error.reason;
  });
  expect(await heldAnswer(clock, caller, answer.then(String))).toBe("RATE_LIMITED");
  expect(delay).toBe(1_000);
});

test("log-ins that succeed do not count, however many there are", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["yoda"], clock });
  for (let round = 0; round < 100; round++) {
    const client = await server.logIn("yoda");
    await client.logOut();
  }
});

test("a known device has a rate of its own", async () => {
  const clock = new ManualClock();
  await using server = await TestServer.start({ users: ["yoda", "leia"], clock });
  const device = (await server.logIn("yoda")).grant?.device;
  const caller = server.anonymous();
  const guessHere = (): Promise<string> => reasonOf(caller.logIn("yoda", "not it", device));
  for (let attempt = 0; attempt < 59; attempt++) await guessHere();
  expect(await guessHere()).toBe("ACCOUNT_LOCKED");
  const answer = guessHere();
  // Another user at the same address is not affected. This log-in reads the store after the guess has.
  await server.logIn("leia");
  expect(await heldAnswer(clock, caller, answer)).toBe("RATE_LIMITED");
});

test("sign-up hashes a password only after the invite, the name and the password were checked", async () => {
  const passwords = counting();
  await using server = await TestServer.start({ users: ["yoda"], passwords });
  const caller = server.anonymous();
  const signUp = (username: string, password: string, invite: string): Promise<string> =>
    reasonOf(
      caller.unary(caller.auth, caller.auth.signUp, { username, password, invite, client: undefined }),
    );
  passwords.hashes = 0;
  expect(await signUp("leia", "a long enough one", "made up")).toBe("INVITE_INVALID");
  expect(await signUp("yoda", "a long enough one", "made up")).toBe("INVITE_INVALID");
  expect(await signUp("a b", "a long enough one", "made up")).toBe("USERNAME_INVALID");
  expect(await signUp("leia", "short", "made up")).toBe("PASSWORD_INVALID");
  expect(passwords.hashes).toBe(0);
});

test("sign-ups of one network have a rate, together with its log-ins", async () => {
  const clock = new ManualClock();
  const passwords = counting();
  await using server = await TestServer.start({ signUp: "open", clock, passwords });
  const caller = server.anonymous();
  await flood(clock, caller);
  passwords.hashes = 0;
  const request = { username: "leia", password: "a long enough one", invite: "", client: undefined };
  const answer = reasonOf(caller.unary(caller.auth, caller.auth.signUp, request));
  expect(await heldAnswer(clock, caller, answer)).toBe("RATE_LIMITED");
  expect(passwords.hashes).toBe(0);
});
