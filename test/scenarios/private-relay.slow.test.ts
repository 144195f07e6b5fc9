// Scenarios of the relay that need real time or much work: a receiver that does not read, many pieces, and a call without an
// opening.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { delay } from "../../time/wait.ts";
import { TestServer } from "../support/server.ts";
import { acceptedIntroduction, logInDevice, subscribe } from "./introduction-calls.ts";
import { joinRelay, openRelay, type RelayCall } from "./relay-calls.ts";

const KiB = 1024;
const WINDOW = 256 * KiB;

interface Fixture extends AsyncDisposable {
  readonly one: RelayCall;
  readonly other: RelayCall;
}

/** The relay calls of two devices that have joined, on a server of their own. */
async function joinedPair(): Promise<Fixture> {
  const server = await TestServer.start({ users: ["leia", "han"] });
  const [leia, han] = [await logInDevice(server, "leia"), await logInDevice(server, "han")];
  await subscribe(leia);
  await subscribe(han);
  const [one, other] = await joinRelay(leia, han, await acceptedIntroduction(leia, han));
  return { one, other, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("twenty thousand pieces of one byte reach a device that pauses reading", async () => {
  await using fixture = await joinedPair();
  const { one, other } = fixture;
  other.pause();
  const all = randomBytes(20_000);
  for (let at = 0; at < all.length; at++) one.send(all.subarray(at, at + 1));
  other.send(Buffer.from("go on"));
  await one.data(5);
  other.resume();
  expect(Buffer.compare(await other.data(all.length), all)).toBe(0);
});

test("a device that does not read for a while still receives all that its peer sent before leaving", async () => {
  await using fixture = await joinedPair();
  const { one, other } = fixture;
  other.pause();
  const all = randomBytes(WINDOW);
  for (let at = 0; at < WINDOW; at += KiB) one.send(all.subarray(at, at + KiB));
  one.halfClose();
  expect(await one.ended).toBeUndefined();
  await delay(1_500);
  other.resume();
  expect(Buffer.compare(await other.data(WINDOW), all)).toBe(0);
  expect(await other.ended).toMatchObject({ reason: "RELAY_PEER_GONE" });
});

test("a call that sends no opening ends after some seconds", async () => {
  await using server = await TestServer.start({ users: ["leia"] });
  const leia = await logInDevice(server, "leia");
  expect(await openRelay(leia, null).ended).toMatchObject({ reason: "INVALID_FIELD", field: "opening" });
});
