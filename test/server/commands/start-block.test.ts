// The start message: commands that can be pasted, and a warning if other machines can reach the sample users.
import { expect, test } from "vitest";
import { type StartFacts, startBlock } from "../../../server/commands/serving/start-block.ts";

const facts: StartFacts = {
  version: "0.1.0",
  host: "127.0.0.1",
  port: 12000,
  fingerprint: "SHA256:abc",
  data: "/home/yoda/data",
  isDefaultData: true,
  isTemporary: false,
  rules: undefined,
  log: undefined,
  sampleUsers: [
    { username: "hans", password: "falcon*solo" },
    { username: "yoda", password: "wise@!man" },
  ],
  client: "npx parley",
  server: "npx parley-server",
};

test("with sample users: the address, and two commands to paste", () => {
  expect(startBlock(facts)).toBe(`Parley 0.1.0 is ready.

  address      127.0.0.1:12000  (this machine only)
  fingerprint  SHA256:abc
  data         /home/yoda/data

Two people can talk: paste these into two other terminals.

  npx parley --server 127.0.0.1:12000 --as hans
  npx parley --server 127.0.0.1:12000 --as yoda

The password of hans is falcon*solo and that of yoda is wise@!man

`);
});

test("without sample users: how to add users to this data folder", () => {
  const block = startBlock({ ...facts, sampleUsers: [], isDefaultData: false, data: "/my data" });
  expect(block).toContain("npx parley-server user add NAME --data '/my data'\n");
  expect(block).toContain("npx parley-server invite create --data '/my data'\n");
  expect(block).not.toContain("password");
});

test("plaintext is shown, and the commands have its flag", () => {
  const block = startBlock({ ...facts, fingerprint: undefined });
  expect(block).toContain("fingerprint  none: plaintext");
  expect(block).toContain("npx parley --server 127.0.0.1:12000 --plaintext --as yoda\n");
});

test("on all interfaces, sample users cause a warning, and the commands contain an address that can be dialled", () => {
  const block = startBlock({ ...facts, host: "0.0.0.0" });
  expect(block).toContain("address      0.0.0.0:12000\n");
  expect(block).toContain("npx parley --server 127.0.0.1:12000 --as yoda\n");
  expect(block).toMatch(/WARNING: the passwords of hans, yoda are public/);
  expect(startBlock({ ...facts, host: "::" })).toContain("--server '[::1]:12000' --as");
  expect(startBlock({ ...facts, host: "0.0.0.0", sampleUsers: [] })).not.toContain("WARNING");
});

test("with the original's rules: one line lists them, and the client is called as the original's is", () => {
  const rules = "the original's: all interfaces, 1 session a user";
  const block = startBlock({ ...facts, host: "::", rules });
  expect(block).toContain(`\n  rules        ${rules}\n`);
  expect(block).toContain(
    "Two people can talk: paste this into other terminals.\n\n  npx parley 127.0.0.1 12000\n\n",
  );
  expect(block).toContain("The password of hans is falcon*solo and that of yoda is wise@!man\n");
  expect(block).toContain("WARNING: the passwords of hans, yoda are public");
  const own = startBlock({ ...facts, host: "::1", fingerprint: undefined, sampleUsers: [], rules });
  expect(own).toContain("The users of the file can talk: paste this into other terminals.\n");
  expect(own).toContain("\n  npx parley ::1 12000 --plaintext\n");
});

test("no line of words is wider than 80 columns, and a paste is never broken", () => {
  const rules =
    "the original's, except --credentials: all interfaces, 1 session a user, strict lock for 60 s, time-out after 25 s, " +
    "no presence grace, users of docs/credentials.txt";
  const names = ["hans", "yoda", "vader", "luke", "leia", "r2d2", "c3p0", "obiwan", "chewy", "palpatine"];
  const sampleUsers = names.map((username) => ({ username, password: "wise@!man" }));
  const data = `/${"long/".repeat(20)}data`;
  const block = startBlock({ ...facts, host: "::", rules, sampleUsers, data, isDefaultData: false });
  const lines = block.split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([
    `  data         ${data}`,
    `  npx parley-server user remove NAME --data ${data}`,
  ]);
  expect(block).toMatch(/\n {2}rules {8}the original's.*\n {15}\S.*\n {15}\S/);
  expect(lines.join(" ")).toContain("other machines can reach this server,");
});

test("a temporary folder is marked as such, and the commands use it", () => {
  const block = startBlock({
    ...facts,
    host: "0.0.0.0",
    data: "/tmp/parley-server-x",
    isDefaultData: false,
    isTemporary: true,
  });
  expect(block).toContain("data         /tmp/parley-server-x  (deleted at the end)\n");
  expect(block).toContain("\n  npx parley-server user remove NAME --data /tmp/parley-server-x\n");
});
