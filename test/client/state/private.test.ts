// The stored state of private chats: the device's keys, contacts, and kept lines.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Contact } from "../../../client/peer/keys/contacts.ts";
import { IdentityKey, newDeviceKey, type StoredKeys } from "../../../client/peer/keys/keys.ts";
import { ownKeys } from "../../../client/peer/keys/registration.ts";
import { migrations } from "../../../client/state/migrations.ts";
import { grantFor, newFolder, openState, stateWithProfile } from "./fixture.ts";

const yoda: Contact = {
  userId: "u-yoda",
  username: "yoda",
  identityKey: Buffer.alloc(32, 7),
  since: new Date(1_700_000_000_123),
  verified: true,
  acceptedDevices: ["SHA256:one", "SHA256:two"],
  always: "direct",
  stoppedDevice: "SHA256:three",
};

async function keysFor(deviceId: string, identity?: Uint8Array): Promise<StoredKeys> {
  return { deviceId, device: await newDeviceKey(), identity };
}

describe("the keys of a device", () => {
  test("are the same after a restart", async () => {
    using folder = newFolder();
    const identity = IdentityKey.generate();
    const keys = await keysFor("d1", identity.export());
    {
      const { state, profileId } = stateWithProfile(folder.path);
      using _ = state;
      expect(state.keys(profileId).load()).toBeUndefined();
      expect(state.keys(profileId).saveIfNone(keys)).toMatchObject({ deviceId: "d1", device: keys.device });
    }
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const kept = state.keys(profileId).load();
    expect(kept).toMatchObject({ deviceId: "d1", device: keys.device });
    expect(IdentityKey.from(kept?.identity ?? new Uint8Array()).publicKey).toEqual(identity.publicKey);
  });

  test("are created again for another device, and the identity key is kept", async () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const keys = state.keys(profileId);
    const identity = IdentityKey.generate().export();
    const first = keys.saveIfNone(await keysFor("d1", identity));
    const second = await ownKeys(keys, "d2");
    expect(second.deviceId).toBe("d2");
    expect(second.device.key).not.toBe(first.device.key);
    expect(second.identity).toEqual(first.identity);
    // The new keys have no identity key, and the stored one stays.
    expect(keys.saveIfNone(await keysFor("d3"))).toMatchObject({ deviceId: "d3", identity: first.identity });
    keys.saveIdentity(undefined);
    expect(keys.load()).toMatchObject({ deviceId: "d3", identity: undefined });
  });

  test("belong to one profile", async () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    state.keys(profileId).saveIfNone(await keysFor("d1"));
    const other = state.profiles.loggedIn("127.0.0.1:1", grantFor("leia")).profile.profileId;
    expect(state.keys(other).load()).toBeUndefined();
  });
});

describe("contacts", () => {
  test("are the same after a restart, and the last save counts", () => {
    using folder = newFolder();
    {
      const { state, profileId } = stateWithProfile(folder.path);
      using _ = state;
      state.contacts(profileId).save({ ...yoda, verified: false, acceptedDevices: [], always: "ask" });
      state.contacts(profileId).save(yoda);
    }
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const kept = state.contacts(profileId).get("yoda");
    expect(kept && { ...kept, identityKey: Buffer.from(kept.identityKey) }).toEqual(yoda);
    expect(state.contacts(profileId).get("Yoda")).toBeUndefined();
    const other = state.profiles.loggedIn("127.0.0.1:1", grantFor("leia")).profile.profileId;
    expect(state.contacts(other).get("yoda")).toBeUndefined();
  });

  test("of a user without an identity key can be stored", () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    state.contacts(profileId).save({ ...yoda, identityKey: new Uint8Array() });
    expect(state.contacts(profileId).get("yoda")?.identityKey).toHaveLength(0);
  });
});

describe("private lines", () => {
  test("are returned oldest first until they are deleted", () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const lines = state.privateLines(profileId);
    const time = new Date(1_700_000_000_000);
    for (const text of ["one", "two\n\u{1F600}", "three"]) {
      lines.add({ username: "yoda", mine: text === "three", time, text });
    }
    lines.add({ username: "leia", mine: false, time, text: "hers" });
    expect(lines.last("yoda", 2)).toEqual([
      { username: "yoda", mine: false, time, text: "two\n\u{1F600}" },
      { username: "yoda", mine: true, time, text: "three" },
    ]);
    expect(lines.forget("yoda")).toEqual({ lines: 3, isGone: true });
    expect(lines.last("yoda", 2)).toEqual([]);
    expect(lines.last("leia", 2)).toHaveLength(1);
  });

  /** Whether the text is in one of the files of the folder. */
  function isOnDisk(folder: string, text: string): boolean {
    return readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(text));
  }

  test("leave no data on the disk after their deletion, while other programs use the file", () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using chat = state;
    using shell = openState(folder.path);
    const kept = chat.privateLines(profileId);
    const time = new Date(1_700_000_000_000);
    // Many lengths, because rows that move within a page leave copies.
    for (let index = 0; index < 300; index++) {
      const username = index % 3 === 0 ? "leia" : "yoda";
      const filler = "x".repeat(index % 20 === 0 ? 9_000 : (index * 97) % 400);
      kept.add({ username, mine: true, time, text: `from-${username} ${filler}` });
    }
    expect(isOnDisk(folder.path, "from-yoda")).toBe(true);
    expect(shell.privateLines(profileId).forget("yoda")).toEqual({ lines: 200, isGone: true });
    expect(isOnDisk(folder.path, "from-yoda")).toBe(false);
    expect(kept.last("leia", 1000)).toHaveLength(100);
    kept.add({ username: "yoda", mine: true, time, text: "anew" });
    expect(kept.last("yoda", 9)).toHaveLength(1);
  });

  test("are not reported as gone while a transaction of another program keeps them", () => {
    using folder = newFolder();
    const { state, profileId } = stateWithProfile(folder.path);
    using _ = state;
    const lines = state.privateLines(profileId);
    const said = "the plans are in the droid";
    lines.add({ username: "yoda", mine: true, time: new Date(1_700_000_000_000), text: said });
    using other = new DatabaseSync(join(folder.path, "state.db"));
    other.exec("BEGIN; SELECT text FROM private_lines");
    expect(lines.forget("yoda")).toEqual({ lines: 1, isGone: false });
    expect(lines.last("yoda", 9)).toEqual([]);
    expect(isOnDisk(folder.path, said)).toBe(true);
    other.exec("COMMIT");
    expect(lines.forget("yoda")).toEqual({ lines: 0, isGone: true });
    expect(isOnDisk(folder.path, said)).toBe(false);
  });
});

test("files with keys are readable only by their user, whatever the umask", async () => {
  using folder = newFolder();
  const path = join(folder.path, "home");
  const umask = process.umask(0);
  try {
    const { state, profileId } = stateWithProfile(path);
    using _ = state;
    state.keys(profileId).saveIfNone(await keysFor("d1", IdentityKey.generate().export()));
    for (const name of ["state.db", "state.db-wal", "state.db-shm"]) {
      expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    }
  } finally {
    process.umask(umask);
  }
});

test("a state file of version 1 keeps its data and can then store keys", async () => {
  using folder = newFolder();
  const old = new DatabaseSync(join(folder.path, "state.db"));
  old.exec(`${migrations[0]}; PRAGMA user_version = 1;
    INSERT INTO servers VALUES ('127.0.0.1:1', 'plaintext', NULL, 1);
    INSERT INTO profiles (address, username, server_id, user_id, device_id, device_secret, last_used_time)
      VALUES ('127.0.0.1:1', 'hans', 'server-1', 'u-hans', 'd-hans', 'secret', 1)`);
  old.close();
  using state = openState(folder.path);
  const profile = state.profiles.find();
  expect(profile).toMatchObject({ username: "hans", device: { deviceId: "d-hans", deviceSecret: "secret" } });
  const profileId = profile?.profileId ?? 0;
  // Smaller ids are reserved for users who choose ids themselves.
  expect(state.nextClientMessageId(profileId)).toBe(1_000_001n);
  const keys = state.keys(profileId).saveIfNone(await keysFor("d-hans"));
  expect(state.keys(profileId).load()).toEqual(keys);
  state.contacts(profileId).save(yoda);
  expect(state.contacts(profileId).get("yoda")).toMatchObject({ verified: true });
});
