// The state file: private, durable, migrated, shared.
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { StateError } from "../../../client/state/database.ts";
import { newFolder, openState, startOther, stateWithProfile } from "./fixture.ts";

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test("folder and files are for their user alone, whatever the umask", () => {
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

test("a folder and a file that others could read are closed to them", () => {
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

test("a file from a newer version is refused, and so is one that is no database", () => {
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

test("a folder that cannot be made says so", () => {
  using folder = newFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  expect(() => openState(join(file, "home"))).toThrow(/The state folder .* cannot be used/);
});

test("eight processes that start on a new folder at once all get there", async () => {
  using folder = newFolder();
  const path = join(folder.path, "home");
  const others = Array.from({ length: 8 }, () => startOther(path, ""));
  try {
    for (const other of others) expect(await other.line()).toBe("ready");
  } finally {
    await Promise.all(others.map((other) => other.kill()));
  }
});

test("processes that take ids at once never get the same", async () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  const others = Array.from({ length: 3 }, () => startOther(folder.path, "127.0.0.1:1"));
  try {
    for (const other of others) await other.line();
    for (const other of others) other.say("ids 100");
    const mine = Array.from({ length: 100 }, () => state.nextClientMessageId(profileId));
    const theirs: string[] = [];
    for (const other of others) {
      let before = 0n;
      for (let line = await other.line(); line !== "done"; line = await other.line()) {
        expect(BigInt(line)).toBeGreaterThan(before);
        before = BigInt(line);
        theirs.push(line);
      }
    }
    const all = new Set([...mine.map(String), ...theirs]);
    expect(all.size).toBe(400);
    expect(state.nextClientMessageId(profileId)).toBe(1_000_401n);
  } finally {
    await Promise.all(others.map((other) => other.kill()));
  }
});
