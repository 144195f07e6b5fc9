// The command line: flags, words, time spans, addresses, quoting, and the state folder.
import { describe, expect, test } from "vitest";
import { readPersonalLink } from "../../../client/cli/account/invite-link.ts";
import { readAddress } from "../../../client/cli/command/address.ts";
import { stateFolder } from "../../../client/cli/process/environment.ts";
import { commandLine } from "../../../client/cli/process/quoted-command-line.ts";
import { parseDuration, parseWait } from "../../../command-line/durations.ts";
import { readFlags, text, toggle } from "../../../command-line/flags.ts";

const flags = {
  json: toggle("…"),
  as: text("USER", "…"),
  count: { ...text("N", "…"), short: "n" },
} as const;

describe("flags and words", () => {
  test("flags can be anywhere, with values after a space or an equals sign", () => {
    const read = readFlags(["yoda", "--as=luke=x", "do", "--json", "-n", "3"], flags);
    expect(read).toEqual({ words: ["yoda", "do"], values: { as: "luke=x", json: true, count: "3" } });
    expect(readFlags(["-n3", "--as", "luke"], flags).values).toEqual({ count: "3", as: "luke" });
  });

  test("a dash, negative numbers, and all arguments after -- are words", () => {
    expect(readFlags(["-", "-5", "--", "--json", "--"], flags).words).toEqual(["-", "-5", "--json", "--"]);
  });

  test.each([
    [["--jsn"], /^There is no flag --jsn\. Did you mean --json\?/],
    [["--nothing-like-it"], /^There is no flag --nothing-like-it\. Put/],
    [["-x"], /no flag -x/],
    [["--constructor"], /no flag --constructor/],
    [["--as"], /--as needs a value: --as USER/],
    [["--as="], /--as: it is empty/],
    [["--json=yes"], /--json takes no value/],
    [["--json", "--json"], /--json is given twice/],
  ])("%j is refused with a reason", (argv, message) => {
    expect(() => readFlags(argv, flags)).toThrow(message);
  });
});

test.each([
  ["90", 90_000],
  ["90s", 90_000],
  ["10m", 600_000],
  ["2h", 7_200_000],
  ["7d", 604_800_000],
  ["10w", 6_048_000_000],
  ["0", 0],
  ["99999999999999999999d", 315_576_000_000_000],
])("%s is %i ms", (given, ms) => {
  expect(parseDuration(given)).toBe(ms);
});

test("invalid time spans, and those too long to wait for, are refused", () => {
  for (const given of ["", "m", "-1", "1.5h", "10 m", "10y", "1e3"])
    expect(() => parseDuration(given)).toThrow(/span of time/);
  expect(parseWait("24d")).toBe(24 * 86_400_000);
  expect(() => parseWait("25d")).toThrow(/at most 24d/);
});

test.each([
  ["chat.example.org:1", "chat.example.org:1"],
  ["Chat.Example.org", "chat.example.org:12000"],
  ["[::1]:80", "[::1]:80"],
  ["::1", "[::1]:12000"],
  ["10.0.0.1", "10.0.0.1:12000"],
  ["2001:db8:0:0:0:0:0:1", "[2001:db8:0:0:0:0:0:1]:12000"],
  ["[FE80::1%Eth0]", "[fe80::1%Eth0]:12000"],
  ["fe80::1%lo", "[fe80::1%lo]:12000"],
  ["[fe80::1%lo]:80", "[fe80::1%lo]:80"],
])("the address %s is %s", (given, address) => {
  expect(readAddress(given)).toBe(address);
});

test.each([
  "",
  ":1",
  "host:",
  "host:0",
  "host:65536",
  "a b:1",
  "host:1:2",
  "http://host:1",
  "[host]:1",
  "1.2.3:4",
  "[]",
])("%j is not an address", (given) => {
  expect(() => readAddress(given)).toThrow(/is not an address/);
});

test.each([
  ["::1:23000", '"::1:23000" has an IPv6 address without brackets. Write [::1]:23000.'],
  ["::1:2300", '"::1:2300" is ambiguous. Write [::1]:2300, or [::1:2300]:12000 for the whole address.'],
  [
    "fe80::2:80",
    '"fe80::2:80" is ambiguous. Write [fe80::2]:80, or [fe80::2:80]:12000 for the whole address.',
  ],
])("%s is refused, with the texts to write instead", (given, message) => {
  expect(() => readAddress(given)).toThrow(message);
});

test.each(["", "host:1", "host:1/", "host:1/invite/nonsense"])("%j is not an invite link", (given) => {
  expect(() => readPersonalLink(given)).toThrow();
});

test("a quoted command line is split by a shell into the same words", () => {
  expect(commandLine("npx parley", "login", "yoda", "--server", "[::1]:1")).toBe(
    "npx parley login yoda --server '[::1]:1'",
  );
  expect(commandLine("login", "it's; rm -rf")).toBe(String.raw`login 'it'\''s; rm -rf'`);
});

test("the state folder is PARLEY_HOME, or follows the convention of the platform", () => {
  expect(stateFolder({ PARLEY_HOME: "/a/b" }, "linux", "/home/me")).toBe("/a/b");
  expect(stateFolder({}, "linux", "/home/me")).toBe("/home/me/.local/share/parley");
  expect(stateFolder({ PARLEY_HOME: "", XDG_DATA_HOME: "/data" }, "linux", "/home/me")).toBe("/data/parley");
  expect(stateFolder({ XDG_DATA_HOME: "not/absolute" }, "linux", "/home/me")).toBe(
    "/home/me/.local/share/parley",
  );
  expect(stateFolder({}, "darwin", "/Users/me")).toBe("/Users/me/Library/Application Support/Parley");
});
