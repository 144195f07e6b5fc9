// Passwords with the real cost: which are accepted, that only the right one verifies, and that the queue is bounded.
import { describe, expect, test } from "vitest";
import { OverloadedError } from "../../../server/auth/load/fair-queue.ts";
import { Passwords } from "../../../server/auth/passwords.ts";

const passwords = new Passwords();

describe("new passwords", () => {
  test.each([
    "correct horse battery staple",
    "Correct Horse Battery Staple",
    "\u03c0\u00df\u00e5\u03c0\u00df\u00e5\u03c0\u00df",
    "Jack of \u2666s",
    "wise@!man",
  ])("%s is accepted", (password) => expect(passwords.checkNew(password, "yoda")).toEqual({ ok: true }));
  test.each([
    ["", /at least 8/],
    ["seven77", /at least 8/],
    ["e\u0301e\u0301e\u0301e\u0301", /at least 8/],
    ["my cat is a \u0009by", /control/],
    ["zero\u200bwidth", /invisible/],
    ["x".repeat(257), /at most 256 bytes/],
    ["\u{1f600}".repeat(65), /at most 256 bytes/],
    ["x".repeat(50_000_000), /at most 256 bytes/],
  ])("bad password no. %# is refused", (password, problem) =>
    expect(passwords.checkNew(password, "yoda")).toMatchObject({
      ok: false,
      problem: expect.stringMatching(problem),
    }),
  );
  test("256 bytes are accepted", () =>
    expect(passwords.checkNew("wise@!man".repeat(50).slice(0, 256), "yoda").ok).toBe(true));
});

describe("hashing", () => {
  test("gives a PHC string of Argon2id with 19 MiB, two passes, one lane", async () => {
    expect(await passwords.hash("wise@!man")).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
  });
  test("the same password gives another string each time, because of the salt", async () => {
    expect(await passwords.hash("wise@!man")).not.toBe(await passwords.hash("wise@!man"));
  });
  test("only the right password verifies", async () => {
    const phc = await passwords.hash("wise@!man");
    expect(await passwords.verify("wise@!man", phc)).toBe(true);
    expect(await passwords.verify("wise@!mam", phc)).toBe(false);
    expect(await passwords.verify("", phc)).toBe(false);
    expect(await passwords.verify("wise@!man".padEnd(300, "x"), phc)).toBe(false);
  });
  test("OpaqueString: a password matches in any normalization form and with any kind of space", async () => {
    const phc = await passwords.hash("caf\u00e9 noir");
    expect(await passwords.verify("cafe\u0301\u1680noir", phc)).toBe(true);
    expect(await passwords.verify("CAF\u00c9 noir", phc)).toBe(false);
  });
  test("a short imported password works, an empty or oversized one is refused", async () => {
    expect(await passwords.verify("x", await passwords.hash("x"))).toBe(true);
    await expect(passwords.hash("")).rejects.toThrow(RangeError);
    await expect(passwords.hash("x".repeat(257))).rejects.toThrow(RangeError);
  });
  test("the reference implementation's string verifies", async () => {
    // From its src/test.c: version 0x13, Argon2id, t=2, m=2^16, p=1, "password", "somesalt".
    const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    expect(await passwords.verify("password", phc)).toBe(true);
    expect(await passwords.verify("passwore", phc)).toBe(false);
    expect(passwords.needsRehash(phc)).toBe(true);
    expect(passwords.needsRehash(await passwords.hash("password"))).toBe(false);
  });
  test("a damaged string is an error and not a wrong password", async () => {
    await expect(passwords.verify("password", "$2b$10$abc")).rejects.toThrow(/PHC/);
    await expect(passwords.verify("password", "")).rejects.toThrow(/PHC/);
  });
});

describe("load", () => {
  test("the queue is bounded, and every accepted request is answered", async () => {
    const small = new Passwords({ concurrency: 1, queue: 2 });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => small.hash("wise@!man")));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(OverloadedError);
    }
    expect(await small.hash("again")).toMatch(/^\$argon2id/);
  });
  test("an unknown name takes as much work as a known one", async () => {
    const phc = await passwords.hash("wise@!man");
    /** CPU time of the process, µs: unlike the time on the clock, it does not depend on other processes. */
    const cpuTimeOf = async (work: Promise<boolean>): Promise<number> => {
      const before = process.cpuUsage();
      expect(await work).toBe(false);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 15; round++) {
      known.push(await cpuTimeOf(passwords.verify("guess", phc)));
      unknown.push(await cpuTimeOf(passwords.verifyAgainstNothing("guess")));
    }
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});
