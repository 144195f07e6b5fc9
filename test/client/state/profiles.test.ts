// Profiles: which one is found, and the effects of a log-in, a log-out and a changed server.
import { expect, test } from "vitest";
import { grantFor, newFolder, openState, stateWithProfile } from "./fixture.ts";

const a = "a.example:1";
const b = "b.example:2";
const target = { kind: "user", username: "yoda" } as const;

test("find returns the most recently used profile that matches", () => {
  using folder = newFolder();
  using state = openState(folder.path);
  const { profiles, servers } = state;
  servers.remember(a, { kind: "pin", fingerprint: "SHA256:abc" });
  servers.remember(b, { kind: "system" });
  profiles.loggedIn(a, grantFor("hans"));
  profiles.loggedIn(b, grantFor("hans"));
  profiles.loggedIn(b, grantFor("leia"));
  expect(profiles.find()).toMatchObject({ address: b, username: "leia" });
  expect(profiles.find({ username: "hans" })).toMatchObject({ address: b, trust: { kind: "system" } });
  expect(profiles.find({ address: a })).toMatchObject({
    username: "hans",
    trust: { kind: "pin", fingerprint: "SHA256:abc" },
  });
  expect(profiles.find({ address: a, username: "leia" })).toBeUndefined();
  expect(servers.find()?.address).toBe(b);

  const old = profiles.find({ address: a });
  if (old === undefined) throw new Error("hans on a is gone");
  profiles.use(old);
  expect(profiles.find()).toMatchObject({ address: a, username: "hans" });
  expect(servers.find()?.address).toBe(a);
  expect(profiles.list().map(({ address, username }) => `${username}@${address}`)).toEqual([
    `hans@${a}`,
    `leia@${b}`,
    `hans@${b}`,
  ]);
});

test("a profile survives a restart, and a log-out deletes only its session", () => {
  using folder = newFolder();
  {
    using state = stateWithProfile(folder.path).state;
    expect(state.profiles.find()?.session?.token).toBe("token-of-hans");
  }
  using state = openState(folder.path);
  const profile = state.profiles.find();
  if (profile === undefined) throw new Error("the profile is gone");
  expect(profile).toMatchObject({
    serverId: "server-1",
    userId: "u-hans",
    device: { deviceId: "d-hans", deviceSecret: "secret" },
    session: { sessionId: "s1", token: "token-of-hans", expireTime: new Date(2_000_000_000_000) },
  });
  state.profiles.loggedOut(profile);
  expect(state.profiles.find()).toMatchObject({ device: { deviceSecret: "secret" }, session: undefined });
});

test("a second log-in keeps the device secret, the ids and the cursors", () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  state.nextClientMessageId(profileId);
  state.cursors(profileId).raise([at("c1", 5n)]);
  const again = state.profiles.loggedIn(
    "127.0.0.1:1",
    grantFor("hans", { token: "new", device: { deviceId: "d-hans", deviceSecret: "" } }),
  );
  expect(again.serverChanged).toBe(false);
  expect(again.profile).toMatchObject({
    profileId,
    device: { deviceSecret: "secret" },
    session: { token: "new" },
  });
  expect(state.nextClientMessageId(profileId)).toBe(1_000_002n);
  expect(state.cursors(profileId).load()).toHaveLength(1);
});

test("when the server has other data, cursors are deleted and unsent messages are held", () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  state.cursors(profileId).raise([at("c1", 5n)]);
  state.sendQueue(profileId).add(target, Buffer.from("hello"));
  const again = state.profiles.loggedIn("127.0.0.1:1", grantFor("hans", { serverId: "server-2" }));
  expect(again.serverChanged).toBe(true);
  expect(state.cursors(profileId).load()).toEqual([]);
  expect(state.unsent(profileId)).toMatchObject([{ held: true }]);
});

test("a new device with the same data keeps the cursors, and unsent messages are held", () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  state.cursors(profileId).raise([at("c1", 5n)]);
  state.sendQueue(profileId).add(target, Buffer.from("hello"));
  const device = { deviceId: "d-other", deviceSecret: "other" };
  expect(state.profiles.loggedIn("127.0.0.1:1", grantFor("hans", { device })).serverChanged).toBe(false);
  expect(state.cursors(profileId).load()).toHaveLength(1);
  expect(state.unsent(profileId)).toMatchObject([{ held: true }]);
});

test("stored cursors and markers only rise", () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  const cursors = state.cursors(profileId);
  const peer = { userId: "u2", username: "yoda" };
  cursors.raise([{ ...at("c1", 2n ** 60n), kind: "direct", peer, readSeq: 7n }]);
  cursors.raise([at("c1", 3n), at("c2", 1n)]);
  const positions = new Map(cursors.load().map((position) => [position.conversationId, position]));
  expect(positions.get("c1")).toEqual({
    conversationId: "c1",
    seq: 2n ** 60n,
    kind: "direct",
    peer,
    deliveredSeq: 0n,
    readSeq: 7n,
  });
  cursors.forget("c1");
  expect(cursors.load().map(({ conversationId }) => conversationId)).toEqual(["c2"]);
});

function at(conversationId: string, seq: bigint) {
  return { conversationId, seq, kind: "unknown", peer: undefined, deliveredSeq: 0n, readSeq: 0n } as const;
}
