// The credentials file: what is read from it, and that an import changes nobody who is already known.
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Passwords } from "../../../server/auth/passwords.ts";
import { importCredentials, parseCredentials } from "../../../server/files/credentials-file.ts";

const read = (text: string) =>
  parseCredentials(text).credentials.map(({ username, password }) => [username, password]);

describe("parsing", () => {
  test("a line is a name, a space and a password of any printable characters, spaces too", () => {
    expect(read("hans falcon*solo\nyoda  wise @!man \n\u00e9ric \u{1f600} \u00a7$%&/()=?\n")).toEqual([
      ["hans", "falcon*solo"],
      ["yoda", " wise @!man "],
      ["\u00e9ric", "\u{1f600} \u00a7$%&/()=?"],
    ]);
  });
  test("CRLF, blank lines, a byte order mark and a missing last newline are fine", () => {
    expect(read("\ufeffhans a\r\n\r\n   \nyoda b")).toEqual([
      ["hans", "a"],
      ["yoda", "b"],
    ]);
    expect(read("")).toEqual([]);
  });
  test("bad lines are named by number, and the others count", () => {
    const text = [
      "hans a",
      "nothing",
      " b",
      "luke ",
      "x\u0007y pw",
      `${"n".repeat(65)} p`,
      `leia ${"p".repeat(257)}`,
    ];
    const { credentials, badLines } = parseCredentials([...text, "hans again", "yoda b"].join("\n"));
    expect(credentials.map(({ username }) => username)).toEqual(["hans", "yoda"]);
    expect(badLines).toMatchObject(
      [
        { line: 2, problem: /no space/ },
        { line: 3, problem: /begins with a space/ },
        { line: 4, problem: /no password/ },
        { line: 5, problem: /printable/ },
        { line: 6, problem: /64 bytes/ },
        { line: 7, problem: /256 bytes/ },
        { line: 8, problem: /earlier line/ },
      ].map(({ line, problem }) => ({ line, problem: expect.stringMatching(problem) })),
    );
  });
  test("a password has any length up to 256 bytes, also after it was composed", () => {
    const { credentials, badLines } = parseCredentials(
      // The last one is 256 bytes, and three times as many once it is composed.
      ["a x", `b ${"y".repeat(256)}`, `c ${"\u00e9".repeat(128)}`, `d ${"\u{1d160}".repeat(64)}`].join("\n"),
    );
    expect(credentials.map(({ username }) => username)).toEqual(["a", "b", "c"]);
    expect(badLines).toMatchObject([{ line: 4, problem: "the password is longer than 256 bytes" }]);
  });
  test("a problem never shows the password", () => {
    const { badLines } = parseCredentials("topsecret\nhans sesame\u0000");
    expect(JSON.stringify(badLines)).not.toMatch(/topsecret|sesame/);
  });
  test("whatever is written is read back", () => {
    const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 });
    const name = word.filter((text) => !text.includes(" "));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, word), { selector: ([username]) => username }), (pairs) => {
        expect(read(pairs.map((pair) => pair.join(" ")).join("\r\n"))).toEqual(pairs);
      }),
    );
  });
  test("the sample file has ten users and no bad line", async () => {
    const sample = await readFile(new URL("../../../docs/credentials.txt", import.meta.url), "utf8");
    const { credentials, badLines } = parseCredentials(sample);
    expect(badLines).toEqual([]);
    expect(credentials).toHaveLength(10);
    expect(credentials).toContainEqual({ username: "yoda", password: "wise@!man" });
  });
});

describe("import", () => {
  /** Accounts as the store keeps them for an import: names that ever were, and what was added. */
  function accountsWith(...names: string[]) {
    const known = new Set(names);
    const hashes = new Map<string, string>();
    return {
      hashes,
      knownNames: async (wanted: readonly string[]) => wanted.filter((name) => known.has(name)),
      importUsers: async (users: readonly { username: string; passwordHash: string; skeleton: string }[]) => {
        for (const { username, passwordHash } of users) {
          known.add(username);
          hashes.set(username, passwordHash);
        }
        return users.map(({ username }) => username);
      },
    };
  }

  test("adds the new ones with their passwords, names as they are, and leaves the others alone", async () => {
    const passwords = new Passwords();
    const accounts = accountsWith("hans");
    const { credentials } = parseCredentials("hans other\nYoda wise@!man\n\u0430dmin x\nadmin y");
    const added = await importCredentials(accounts, credentials, passwords);
    expect(added.toSorted()).toEqual(["Yoda", "admin", "\u0430dmin"]);
    expect(await passwords.verify("wise@!man", accounts.hashes.get("Yoda") ?? "")).toBe(true);
    expect(await importCredentials(accounts, credentials, passwords)).toEqual([]);
  });
  test("a long file neither overfills the queue of hashes nor loses a line", async () => {
    const passwords = new Passwords({ concurrency: 2, queue: 1 });
    const accounts = accountsWith();
    const text = Array.from({ length: 120 }, (_, index) => `user${index} password${index}`).join("\n");
    await importCredentials(accounts, parseCredentials(text).credentials, passwords);
    expect(accounts.hashes.size).toBe(120);
  });
});
