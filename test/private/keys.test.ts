// Keys of contacts: remembered, compared, and never changed in silence.
import { afterAll, beforeAll, expect, test } from "vitest";
import { KeyProblemError } from "../../client/peer/chats/context.ts";
import { linkCode, readLinkCode, safetyNumber } from "../../client/peer/keys/codes.ts";
import { listDevices, signDevice } from "../../client/peer/keys/devices.ts";
import { replaceIdentity } from "../../client/peer/keys/registration.ts";
import { acceptKeys, confirm, verificationOf } from "../../client/peer/keys/verification.ts";
import { TestServer } from "../support/server.ts";
import { chatting, type Installation, newInstallation, Somebody } from "./somebody.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda", "leia"], sessionsPerUser: 99 });
});
afterAll(() => server[Symbol.asyncDispose]());

const sitDown = (name: string, installation?: Installation) =>
  Somebody.sitDown(server.port, name, installation === undefined ? {} : { installation });

/** As whoever lost the first device. */
async function withNewIdentity(name: string): Promise<Somebody> {
  const installation = newInstallation();
  const somebody = await sitDown(name, installation);
  await replaceIdentity(somebody.chats.calls, installation.keys, somebody.chats.names);
  return somebody;
}

async function talkedOnce(luke: Somebody, yoda: Somebody): Promise<void> {
  await chatting(luke, yoda, { direct: true });
  await luke.chats.stop("yoda");
  await Promise.all([luke.next("ended"), yoda.next("ended")]);
}

test("the code of two people is the same at both ends, and no other's", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await using _leia = await sitDown("leia");
  const [atLuke, atYoda] = [
    await verificationOf(luke.chats, "yoda"),
    await verificationOf(yoda.chats, "luke"),
  ];
  expect(atLuke.code).toMatch(/^(\d{5} ){11}\d{5}$/);
  expect(atLuke.code).toBe(atYoda.code);
  expect((await verificationOf(luke.chats, "leia")).code).not.toBe(atLuke.code);
  expect(atLuke.standing).toBe("new");
});

test("the code is about the own key as it is now, also where another program has changed it", async () => {
  const mine = newInstallation();
  await using luke = await sitDown("luke", mine);
  await using yoda = await sitDown("yoda");
  const before = await verificationOf(luke.chats, "yoda");
  await replaceIdentity(luke.chats.calls, mine.keys, luke.chats.names);
  const { code } = await verificationOf(luke.chats, "yoda");
  expect(code).not.toBe(before.code);
  expect((await verificationOf(yoda.chats, "luke")).code).toBe(code);
});

test("a first chat is remembered; a key that changes afterwards is told of, and goes on", async () => {
  const mine = newInstallation();
  await using luke = await sitDown("luke", mine);
  {
    await using yoda = await withNewIdentity("yoda");
    await talkedOnce(luke, yoda);
    expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
  }
  await using yoda = await withNewIdentity("yoda");
  await luke.chats.start("yoda", { direct: true });
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  const { keyCheck } = await luke.next("opened");
  expect(keyCheck).toEqual({ standing: "known", problem: "changed", stops: false });
});

test("a verified contact with another key is stopped until a person accepts it, and nothing is said", async () => {
  const mine = newInstallation();
  await using luke = await sitDown("luke", mine);
  {
    await using yoda = await withNewIdentity("yoda");
    await talkedOnce(luke, yoda);
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
  expect(yoda.heard("luke")).toEqual([]);
  // Who said yes is not left waiting.
  expect(await yoda.next("failed")).toMatchObject({ username: "luke" });

  expect(luke.chats.acceptKeys("yoda")).toBe("changed");
  await luke.chats.start("yoda", { direct: true });
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  expect((await luke.next("opened")).keyCheck).toMatchObject({ standing: "known", problem: undefined });
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
});

test("a changed key can be accepted before it comes up", async () => {
  await using luke = await sitDown("luke");
  {
    await using yoda = await withNewIdentity("yoda");
    await talkedOnce(luke, yoda);
  }
  await using _yoda = await withNewIdentity("yoda");
  const verification = await verificationOf(luke.chats, "yoda");
  expect(verification.standing).toBe("changed");
  acceptKeys(luke.chats.contacts, verification);
  expect((await verificationOf(luke.chats, "yoda")).standing).toBe("known");
});

test("a second device is unsigned until the first one signs it by its code", async () => {
  const first = newInstallation();
  await using yoda = await sitDown("yoda", first);
  await replaceIdentity(yoda.chats.calls, first.keys, yoda.chats.names);
  await using luke = await sitDown("luke");
  await talkedOnce(luke, yoda);
  confirm(luke.chats.contacts, await verificationOf(luke.chats, "yoda"));

  const second = newInstallation();
  await using phone = await sitDown("yoda", second);
  const own = await phone.chats.register();
  expect([own.signed, own.holdsIdentity]).toEqual([false, false]);
  await phone.chats.start("luke", { direct: true });
  const asked = await luke.next("requested");
  expect(asked.keyCheck).toEqual({ standing: "verified", problem: "unsigned", stops: true });
  await expect(luke.chats.answer("yoda", "accept")).rejects.toThrow(KeyProblemError);
  await luke.chats.answer("yoda", "refuse");
  await phone.next("failed");

  // What the phone shows is what the first device finds.
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

test("an unsigned device of a verified contact can be accepted by itself", async () => {
  const first = newInstallation();
  await using yoda = await sitDown("yoda", first);
  await replaceIdentity(yoda.chats.calls, first.keys, yoda.chats.names);
  await using luke = await sitDown("luke");
  await talkedOnce(luke, yoda);
  confirm(luke.chats.contacts, await verificationOf(luke.chats, "yoda"));
  await using phone = await sitDown("yoda", newInstallation());
  await phone.chats.start("luke", { direct: true });
  await luke.next("requested");
  expect(luke.chats.acceptKeys("yoda")).toBe("unsigned");
  await luke.chats.answer("yoda", "accept", { direct: true });
  // Accepted for this device; the contact is as verified as before.
  expect((await luke.next("opened")).keyCheck).toEqual({
    standing: "verified",
    problem: undefined,
    stops: false,
  });
});

test("the safety number is libsignal's numeric fingerprint", () => {
  // Computed once by an independent program (Python's hashlib) from the published rule.
  const one = { userId: "u1", identityKey: Buffer.alloc(32, 1) };
  const other = { userId: "u2", identityKey: Buffer.alloc(32, 2) };
  expect(safetyNumber("server", one, other)).toBe(EXPECTED);
  expect(safetyNumber("server", other, one)).toBe(EXPECTED);
});

const EXPECTED = "40708 13701 07085 15677 32947 34828 98646 01842 64667 13059 92960 40101";
