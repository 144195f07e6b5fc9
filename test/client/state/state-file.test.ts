// The state file: its permissions, its version, and unusable folders.
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { StateError } from "../../../client/state/database.ts";
import { migrations } from "../../../client/state/migrations.ts";
import { newFolder, openState, stateWithProfile } from "./fixture.ts";

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test("the folder and the files are accessible only to their user, whatever the umask", () => {
  using folder = newFolder();
  const path = join(folder.path, "home");
  const umask = process.umask(0);
  try {
    const { state } = stateWithProfile(path);
    using _ = state;
    expect(modeOf(path)).toBe(0o700);
    for (const name of ["state.db", "state.db-wal", "state.db-shm"])
      expect(modeOf(join(path, name))).toBe(0o600);
  } finally {
    process.umask(umask);
  }
});

test("the permissions of an existing folder and file are tightened", () => {
  using folder = newFolder();
  const path = join(folder.path, "home");
  mkdirSync(path, { mode: 0o755 });
  openState(path)[Symbol.dispose]();
  chmodSync(path, 0o755);
  chmodSync(join(path, "state.db"), 0o644);
  using _ = openState(path);
  expect(modeOf(path)).toBe(0o700);
  expect(modeOf(join(path, "state.db"))).toBe(0o600);
});

test("a file of a newer version and a file that is not a database are refused", () => {
  using folder = newFolder();
  openState(folder.path)[Symbol.dispose]();
  const db = new DatabaseSync(join(folder.path, "state.db"));
  db.exec("PRAGMA user_version = 1000");
  db.close();
  expect(() => openState(folder.path)).toThrow(/newer version/);

  using other = newFolder();
  writeFileSync(join(other.path, "state.db"), "this is no database".repeat(100));
  expect(() => openState(other.path)).toThrow(StateError);
});

test("a file from before servers had several addresses keeps its profiles, with all that belongs to them", () => {
  using folder = newFolder();
  const db = new DatabaseSync(join(folder.path, "state.db"));
  for (const step of migrations.slice(0, 5)) db.exec(step);
  db.exec(`
    PRAGMA user_version = 5;
    INSERT INTO servers VALUES ('a.example:1', 'pin', 'SHA256:abc', 1), ('b.example:2', 'system', NULL, 2);
    INSERT INTO profiles VALUES (7, 'a.example:1', 'hans', 'server-1', 'u1', 'd1', 'secret', 's1', 'token', NULL, 1000009, 3);
    INSERT INTO profiles VALUES (9, 'b.example:2', 'hans', 'server-2', 'u2', 'd2', 'secret', NULL, NULL, NULL, 1000000, 4);
    INSERT INTO cursors VALUES (7, 'c1', 5, 'direct', NULL, NULL, 5, 5, 1);
    INSERT INTO unsent VALUES (7, 1000009, 'user', 'yoda', x'00', 1, 0, NULL);
    INSERT INTO contacts VALUES (7, 'yoda', 'u3', x'01', 1, 1, '[]', 'ask', NULL, NULL);`);
  db.close();
  using state = openState(folder.path);
  expect(state.profiles.list()).toMatchObject([
    { profileId: 9, address: "b.example:2", trust: { kind: "system" } },
    {
      profileId: 7,
      address: "a.example:1",
      trust: { kind: "pin", fingerprint: "SHA256:abc" },
      session: { token: "token" },
    },
  ]);
  expect(state.cursors(7).load()).toHaveLength(1);
  expect(state.unsent(7)).toHaveLength(1);
  expect(state.contacts(7).get("yoda")).toMatchObject({ userId: "u3" });
  expect(state.nextClientMessageId(7)).toBe(1_000_010n);
  // The rows of other tables still belong to their profile.
  expect(() =>
    state.keys(8).saveIfNone({ deviceId: "d", device: { key: "key", cert: "cert" }, identity: undefined }),
  ).toThrow(/FOREIGN KEY/);
});

test("a folder that cannot be created is an error", () => {
  using folder = newFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "home")])
    expect(() => openState(path)).toThrow(/The state folder .* cannot be used: not a directory\.$/);
});
