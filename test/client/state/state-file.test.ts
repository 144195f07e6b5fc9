// The state file: its permissions, its version, and unusable folders.
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { StateError } from "../../../client/state/database.ts";
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

test("a folder that cannot be created is an error", () => {
  using folder = newFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  for (const path of [file, join(file, "home")])
    expect(() => openState(path)).toThrow(/The state folder .* cannot be used: not a directory\.$/);
});
