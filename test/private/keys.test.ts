// The keys of contacts: stored, compared, and every change reported.
import { afterAll, beforeAll, expect, test } from "vitest";
import { KeyProblemError } from "../../client/peer/chats/context.ts";
import { linkCode, readLinkCode, safetyNumber } from "../../client/peer/keys/codes.ts";
import { checkKeys, remembered } from "../../client/peer/keys/contacts.ts";
import { listDevices, signDevice } from "../../client/peer/keys/devices.ts";
import { replaceIdentity } from "../../client/peer/keys/registration.ts";
import { acceptKeys, confirm, verificationOf } from "../../client/peer/keys/verification.ts";
import { TestServer } from "../support/server.ts";
import { type Installation, newInstallation, openChat, PrivateUser } from "./private-user.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda", "leia"], sessionsPerUser: 99 });
});
afterAll(() => server[Symbol.asyncDispose]());

const logIn = (name: string, installation?: Installation) =>
  PrivateUser.logIn(server.port, name, installation === undefined ? {} : { installation });

/** Logs in with a new identity key, as after the loss of the first device. */
async function withNewIdentity(name: string): Promise<PrivateUser> {
  const installation = newInstallation();
  const user = await logIn(name, installation);
  await replaceIdentity(user.chats.calls, installation.keys, user.chats.names);
  return user;
}

async function chatOnce(luke: PrivateUser, yoda: PrivateUser): Promise<void> {
  await openChat(luke, yoda, { direct: true });
  await luke.chats.stop("yoda");
  await Promise.all([luke.next("ended"), yoda.next("ended")]);
}

test("two users see the same safety number, and it differs from that of other users", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await using _leia = await logIn("leia");
  const [atLuke, atYoda] = [
    await verificationOf(luke.chats, "yoda"),
    await verificationOf(yoda.chats, "luke"),
  ];
  expect(atLuke.code).toMatch(/^(\d{5} ){11}\d{5}$/);
  expect(atLuke.code).toBe(atYoda.code);
  expect((await verificationOf(luke.chats, "leia")).code).not.toBe(atLuke.code);
  expect(atLuke.standing).toBe("new");
});

test("the safety number uses the current own key, also after another program replaced it", async () => {
  const mine = newInstallation();
  await using luke = await logIn("luke", mine);
  await using yoda = await logIn("yoda");
  const before = await verificationOf(luke.chats, "yoda");
  await replaceIdentity(luke.chats.calls, mine.keys, luke.chats.names);
  const { code } = await verificationOf(luke.chats, "yoda");
  expect(code).not.toBe(before.code);
  expect((await verificationOf(yoda.chats, "luke")).code).toBe(code);
});

/** luke's chat with yoda, whose key luke knows and which has changed. luke has queued a line. */
async function openWithChangedKey(luke: PrivateUser): Promise<PrivateUser> {
  {
    await using yoda = await withNewIdentity("yoda");
    await chatOnce(luke, yoda);
    expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
  }
  const yoda = await withNewIdentity("yoda");
  await luke.chats.start("yoda", { direct: true });
  expect(luke.chats.send("yoda", "for yoda only")).toBe("queued");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  const { keyCheck } = await luke.next("opened");
  expect(keyCheck).toEqual({ standing: "known", problem: "changed", stops: false });
  await yoda.next("opened");
  return yoda;
}

test("lines to a known contact whose key has changed wait until a person accepts the key", async () => {
  await using luke = await logIn("luke");
  await using yoda = await openWithChangedKey(luke);
  expect(luke.chats.send("yoda", "and this")).toBe("queued");
  // Lines of the peer arrive. The marks for this one would follow any line that luke has sent.
  yoda.chats.send("luke", "hello?");
  expect(await luke.receives("yoda", 1)).toEqual(["hello?"]);
  await yoda.next("marks");
  expect(yoda.receivedFrom("luke")).toEqual([]);

  expect(luke.chats.acceptKeys("yoda")).toBe("changed");
  expect(await yoda.receives("luke", 2)).toEqual(["for yoda only", "and this"]);
  expect(luke.chats.send("yoda", "now at once")).toBe("sent");
  await luke.chats.stop("yoda");
  expect((await luke.next("ended")).notSent).toEqual([]);
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
});

test("lines that wait for the acceptance of a key are returned at the end, and the key stays a changed one", async () => {
  await using luke = await logIn("luke");
  await using yoda = await openWithChangedKey(luke);
  luke.chats.setTyping("yoda", true);
  await luke.chats.stop("yoda");
  expect(await luke.next("ended")).toMatchObject({ notSent: ["for yoda only"], undelivered: [] });
  await yoda.next("ended");
  expect(yoda.receivedFrom("luke")).toEqual([]);
  expect(yoda.events.filter(({ type }) => type === "typing")).toEqual([]);
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("changed");
});

test("lines to an unsigned device of a known contact wait, too", async () => {
  const first = newInstallation();
  await using yoda = await logIn("yoda", first);
  await replaceIdentity(yoda.chats.calls, first.keys, yoda.chats.names);
  await using luke = await logIn("luke");
  await chatOnce(luke, yoda);
  await using phone = await logIn("yoda", newInstallation());
  await phone.chats.start("luke", { direct: true });
  await luke.next("requested");
  await luke.chats.answer("yoda", "accept", { direct: true });
  expect((await luke.next("opened")).keyCheck).toMatchObject({ standing: "known", problem: "unsigned" });
  expect(luke.chats.send("yoda", "is it you?")).toBe("queued");
  expect(luke.chats.acceptKeys("yoda")).toBe("unsigned");
  expect(await phone.receives("luke", 1)).toEqual(["is it you?"]);
});

test.each([
  ["new", "known", "unknown"],
  ["new", "verified", "unverified"],
  ["known", "verified", "unverified"],
  ["known", "known", undefined],
  ["verified", "verified", undefined],
] as const)("a %s key is checked by a program that admits only %s keys: %s", (standing, admits, problem) => {
  const [identityKey, now] = [Buffer.alloc(32, 1), new Date()];
  const user = { userId: "u", username: "yoda" };
  const peer = { ...user, identityKey, deviceId: "d", deviceName: "", fingerprint: "f", signed: true };
  const known = remembered(undefined, peer, now);
  const contact = standing === "new" ? undefined : { ...known, verified: standing === "verified" };
  expect(checkKeys(contact, peer, { admits })).toEqual({
    standing,
    problem,
    stops: problem !== undefined,
  });
});

test("a changed key of a verified contact stops the chat until a person accepts it", async () => {
  const mine = newInstallation();
  await using luke = await logIn("luke", mine);
  {
    await using yoda = await withNewIdentity("yoda");
    await chatOnce(luke, yoda);
    confirm(luke.chats.contacts, await verificationOf(luke.chats, "yoda"));
    expect((await verificationOf(luke.chats, "yoda")).standing).toBe("verified");
  }
  await using yoda = await withNewIdentity("yoda");
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("changed");

  await luke.chats.start("yoda", { direct: true });
  luke.chats.send("yoda", "for yoda only");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  const { error, queued } = await luke.next("failed");
  expect(error).toBeInstanceOf(KeyProblemError);
  expect(error).toMatchObject({ problem: "changed", username: "yoda" });
  expect(queued).toEqual(["for yoda only"]);
  expect(yoda.receivedFrom("luke")).toEqual([]);
  // The accepting device does not wait for its timer.
  expect(await yoda.next("failed")).toMatchObject({ username: "luke" });

  expect(luke.chats.acceptKeys("yoda")).toBe("changed");
  await luke.chats.start("yoda", { direct: true });
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  expect((await luke.next("opened")).keyCheck).toMatchObject({ standing: "known", problem: undefined });
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
});

test("a changed key can be accepted before a request", async () => {
  await using luke = await logIn("luke");
  {
    await using yoda = await withNewIdentity("yoda");
    await chatOnce(luke, yoda);
  }
  await using _yoda = await withNewIdentity("yoda");
  const verification = await verificationOf(luke.chats, "yoda");
  expect(verification.standing).toBe("changed");
  acceptKeys(luke.chats.contacts, verification);
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
});

test("a second device is unsigned until the first one signs it after a comparison of the link code", async () => {
  const first = newInstallation();
  await using yoda = await logIn("yoda", first);
  await replaceIdentity(yoda.chats.calls, first.keys, yoda.chats.names);
  await using luke = await logIn("luke");
  await chatOnce(luke, yoda);
  confirm(luke.chats.contacts, await verificationOf(luke.chats, "yoda"));

  const second = newInstallation();
  await using phone = await logIn("yoda", second);
  const own = await phone.chats.register();
  expect([own.signed, own.holdsIdentity]).toEqual([false, false]);
  await phone.chats.start("luke", { direct: true });
  const asked = await luke.next("requested");
  expect(asked.keyCheck).toEqual({ standing: "verified", problem: "unsigned", stops: true });
  await expect(luke.chats.answer("yoda", "accept")).rejects.toThrow(KeyProblemError);
  await luke.chats.answer("yoda", "refuse");
  await phone.next("failed");

  // The first device finds the phone by its link code.
  const { serverId, userId } = phone.chats.names;
  const { identityKey = Buffer.alloc(0), fingerprint } = own;
  const shown = linkCode(serverId, { userId, identityKey, fingerprint });
  expect(readLinkCode(shown.toLowerCase().replaceAll("-", " "))).toBe(shown);
  const { devices } = await listDevices(yoda.chats);
  const found = devices.find(
    (device) => linkCode(serverId, { userId, identityKey, fingerprint: device.fingerprint }) === shown,
  );
  if (found === undefined) throw new Error("no device shows the code");
  const holder = { ...(await yoda.chats.register()), keys: first.keys.load() };
  if (holder.keys === undefined) throw new Error("no keys");
  await signDevice(yoda.chats, { ...holder, keys: holder.keys }, found);

  await phone.chats.start("luke", { direct: true });
  expect((await luke.next("requested")).keyCheck).toEqual({
    standing: "verified",
    problem: undefined,
    stops: false,
  });
});

test("one unsigned device of a verified contact can be accepted", async () => {
  const first = newInstallation();
  await using yoda = await logIn("yoda", first);
  await replaceIdentity(yoda.chats.calls, first.keys, yoda.chats.names);
  await using luke = await logIn("luke");
  await chatOnce(luke, yoda);
  confirm(luke.chats.contacts, await verificationOf(luke.chats, "yoda"));
  await using phone = await logIn("yoda", newInstallation());
  await phone.chats.start("luke", { direct: true });
  await luke.next("requested");
  expect(luke.chats.acceptKeys("yoda")).toBe("unsigned");
  await luke.chats.answer("yoda", "accept", { direct: true });
  // The acceptance is for this device, and the contact stays verified.
  expect((await luke.next("opened")).keyCheck).toEqual({
    standing: "verified",
    problem: undefined,
    stops: false,
  });
});

test("the safety number equals the numeric fingerprint of libsignal", () => {
  // Computed by an independent program (Python's hashlib) from the published rule.
  const one = { userId: "u1", identityKey: Buffer.alloc(32, 1) };
  const other = { userId: "u2", identityKey: Buffer.alloc(32, 2) };
  expect(safetyNumber("server", one, other)).toBe(EXPECTED);
  expect(safetyNumber("server", other, one)).toBe(EXPECTED);
});

const EXPECTED = "40708 13701 07085 15677 32947 34828 98646 01842 64667 13059 92960 40101";
