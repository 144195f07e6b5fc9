// Each program that measures says its usage on --help, and after a mistake, without measuring anything.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = new URL("../../bench/", import.meta.url);
/** Parts of the programs, and processes that the programs start. */
const parts = [
  "direct-messages",
  "echo",
  "echo-server",
  "flood-callers",
  "floods",
  "measure",
  "parley-server",
  "usage",
];
const programs = readdirSync(folder)
  .map((file) => file.replace(/\.ts$/, ""))
  .filter((name) => !parts.includes(name));

test("every program of bench/ reads its command line in the same way", () => {
  const without = programs.filter(
    (name) => !readFileSync(new URL(`${name}.ts`, folder), "utf8").includes("readCommandLine({"),
  );
  expect(without).toEqual([]);
});

test.each([
  { words: ["--help"], code: 0, stdout: "--connections N", stderr: "" },
  { words: ["--nope"], code: 2, stdout: "", stderr: "Unknown option '--nope'.\n\nFloods a server" },
  {
    words: ["--seconds", "0"],
    code: 2,
    stdout: "",
    stderr: "--seconds must be a number above 0.\n\nFloods a server",
  },
  { words: ["word"], code: 2, stdout: "", stderr: 'This program does not take the word "word".' },
])("$words is answered with the usage, and no stack trace", ({ words, code, stdout, stderr }) => {
  const file = fileURLToPath(new URL("log-in-flood.ts", folder));
  const run = spawnSync(process.execPath, [file, ...words], { encoding: "utf8" });
  expect(run.status).toBe(code);
  expect(run.stdout).toContain(stdout);
  expect(run.stderr).toContain(stderr);
  expect(run.stderr).not.toContain("    at ");
});
