// The credentials file: how it is parsed, and that an import does not change existing users.
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importCredentials, parseCredentials } from "../../../server/files/credentials-file.ts";
import { cheapPasswords } from "../../support/cheap-passwords.ts";

const read = (text: string) =>
  parseCredentials(text).credentials.map(({ username, password }) => [username, password]);

describe("parsing", () => {
  test("a line is a name, a space and a password of printable characters and spaces", () => {
    expect(read("hans falcon*solo\nyoda  wise @!man \n\u00e9ric \u{1f600} \u00a7$%&/()=?\n")).toEqual([
      ["hans", "falcon*solo"],
      ["yoda", " wise @!man "],
      ["\u00e9ric", "\u{1f600} \u00a7$%&/()=?"],
    ]);
  });
  test("CRLF, blank lines, a byte order mark and a missing last newline are accepted", () => {
    expect(read("\ufeffhans a\r\n\r\n   \nyoda b")).toEqual([
      ["hans", "a"],
      ["yoda", "b"],
    ]);
    expect(read("")).toEqual([]);
  });
  test("bad lines are reported by number, and the others are used", () => {
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
  test("a password has at most 256 bytes, also after normalization", () => {
    const { credentials, badLines } = parseCredentials(
      // The last one is 256 bytes before normalization and three times as many after it.
      ["a x", `b ${"y".repeat(256)}`, `c ${"\u00e9".repeat(128)}`, `d ${"\u{1d160}".repeat(64)}`].join("\n"),
    );
    expect(credentials.map(({ username }) => username)).toEqual(["a", "b", "c"]);
    expect(badLines).toMatchObject([{ line: 4, problem: "the password is longer than 256 bytes" }]);
  });
  test("names are mapped as at a log-in, so that two spellings of a name are one", () => {
    const { credentials, badLines } = parseCredentials("Zoe\u0308 x\n\uff59oda x\nZoë y\na\u3000b x");
    expect(credentials.map(({ username }) => username)).toEqual(["Zoë", "yoda"]);
    expect(badLines).toMatchObject([
      { line: 3, problem: "the user name is in an earlier line already" },
      { line: 4, problem: "the user name contains a space" },
    ]);
  });
  test("the report of a bad line does not contain the password", () => {
    const { badLines } = parseCredentials("topsecret\nhans sesame\u0000");
    expect(JSON.stringify(badLines)).not.toMatch(/topsecret|sesame/);
  });
  test("parsing returns the names and passwords that were written", () => {
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
  /** A fake of the store for an import, with these known names. */
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

  test("adds new users with their passwords and unchanged names, and does not change the others", async () => {
    const passwords = cheapPasswords();
    const accounts = accountsWith("hans");
    const { credentials } = parseCredentials("hans other\nYoda wise@!man\n\u0430dmin x\nadmin y");
    const added = await importCredentials(accounts, credentials, passwords);
    expect(added.toSorted()).toEqual(["Yoda", "admin", "\u0430dmin"]);
    expect(await passwords.verify("wise@!man", accounts.hashes.get("Yoda") ?? "")).toBe(true);
    expect(await importCredentials(accounts, credentials, passwords)).toEqual([]);
  });
  test("a long file does not overfill the queue of hashes, and every line is imported", async () => {
    const passwords = cheapPasswords({ queue: 1 });
    const accounts = accountsWith();
    const text = Array.from({ length: 120 }, (_, index) => `user${index} password${index}`).join("\n");
    await importCredentials(accounts, parseCredentials(text).credentials, passwords);
    expect(accounts.hashes.size).toBe(120);
  });
});
