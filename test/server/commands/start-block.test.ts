// The start block: two lines that work as they are, and a warning where sample users are open to others.
import { expect, test } from "vitest";
import { type StartFacts, startBlock } from "../../../server/commands/start-block.ts";

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

test("with sample users: ready, where, and two lines to paste", () => {
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

test("without them: how to get users, on this data folder", () => {
  const block = startBlock({ ...facts, sampleUsers: [], isDefaultData: false, data: "/my data" });
  expect(block).toContain("npx parley-server user add NAME --data '/my data'\n");
  expect(block).toContain("npx parley-server invite create --data '/my data'\n");
  expect(block).not.toContain("password");
});

test("plaintext is said, and the lines ask for it", () => {
  const block = startBlock({ ...facts, fingerprint: undefined });
  expect(block).toContain("fingerprint  none: plaintext");
  expect(block).toContain("npx parley --server 127.0.0.1:12000 --plaintext --as yoda\n");
});

test("served beyond loopback, sample users are warned of, and the lines name an address that can be dialled", () => {
  const block = startBlock({ ...facts, host: "0.0.0.0" });
  expect(block).toContain("address      0.0.0.0:12000\n");
  expect(block).toContain("npx parley --server 127.0.0.1:12000 --as yoda\n");
  expect(block).toMatch(/WARNING: the passwords of hans, yoda are public/);
  expect(startBlock({ ...facts, host: "::" })).toContain("--server '[::1]:12000' --as");
  expect(startBlock({ ...facts, host: "0.0.0.0", sampleUsers: [] })).not.toContain("WARNING");
});

test("by the original's rules: one line says so, and the client is called as the original's is", () => {
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

test("a temporary folder is said to go, and the commands are led to it", () => {
  const block = startBlock({
    ...facts,
    host: "0.0.0.0",
    data: "/tmp/parley-server-x",
    isDefaultData: false,
    isTemporary: true,
  });
  expect(block).toContain("data         /tmp/parley-server-x  (deleted at the end)\n");
  expect(block).toContain("npx parley-server user remove NAME --data /tmp/parley-server-x)");
});
