// A state folder that several processes use at the same time.
import { join } from "node:path";
import { expect, test } from "vitest";
import type { UnsentMessage } from "../../../client/link/model/send-queue.ts";
import { ownKeys } from "../../../client/peer/keys/registration.ts";
import { newFolder, openState, startOther, stateWithProfile } from "./fixture.ts";

const processTimes = { heartbeatMs: 50, staleMs: 60_000 };
test("eight processes can open a new folder at the same time", async () => {
  using folder = newFolder();
  const path = join(folder.path, "home");
  const others = Array.from({ length: 8 }, () => startOther(path, ""));
  try {
    for (const other of others) expect(await other.line()).toBe("ready");
  } finally {
    await Promise.all(others.map((other) => other.kill()));
  }
});

test("processes that allocate ids at the same time get different ones", async () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  const others = Array.from({ length: 3 }, () => startOther(folder.path, "127.0.0.1:1"));
  try {
    for (const other of others) await other.line();
    for (const other of others) other.write("ids 100");
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

test("processes that create the device key at the same time get the same key", async () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  const others = Array.from({ length: 3 }, () => startOther(folder.path, "127.0.0.1:1"));
  try {
    for (const other of others) expect(await other.line()).toBe("ready");
    for (const other of others) other.write("keys d1");
    const mine = await ownKeys(state.keys(profileId), "d1");
    const theirs: string[] = [];
    for (const other of others) theirs.push(await other.line());
    expect(new Set([JSON.stringify(mine.device.cert), ...theirs]).size).toBe(1);
  } finally {
    await Promise.all(others.map((other) => other.kill()));
  }
});

test("one process owns the queue, and when it is killed another one takes its messages once", async () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path, { processTimes });
  using _ = state;
  await using first = startOther(folder.path, "127.0.0.1:1");
  await first.line();
  first.write("own");
  expect(await first.line()).toBe("owned true");
  first.write("add one");
  expect(await first.line()).toBe("1000001");

  const queue = state.sendQueue(profileId);
  const { promise: taken, resolve } = Promise.withResolvers<UnsentMessage[]>();
  let takes = 0;
  using watch = queue.takeOrphans((messages) => {
    takes++;
    resolve(messages);
  });
  await using third = startOther(folder.path, "127.0.0.1:1");
  await third.line();
  third.write("own");
  expect(await third.line()).toBe("owned false");
  expect(queue.owned).toBe(false);
  expect(takes).toBe(0);

  await first.kill();
  const line = third.line();
  const heir = await Promise.race([taken.then(() => "me"), line]);
  if (heir === "me") {
    expect(queue.owned).toBe(true);
    expect(await taken).toMatchObject([
      { clientMessageId: 1_000_001n, content: Uint8Array.from(Buffer.from("one")) },
    ]);
    watch[Symbol.dispose]();
    // After an orderly end the message goes to the remaining process.
    expect(await line).toBe("took 1000001");
  } else {
    expect(heir).toBe("took 1000001");
    expect(queue.owned).toBe(false);
    await third.kill();
    expect(await taken).toMatchObject([{ clientMessageId: 1_000_001n }]);
  }
});

test("a process takes no messages until the owner of the queue releases it", async () => {
  using folder = newFolder();
  const { state: owner, profileId } = stateWithProfile(folder.path, {
    processTimes: { heartbeatMs: 1_000_000, staleMs: 1_000_000 },
  });
  using _1 = owner;
  using owned = owner.sendQueue(profileId).takeOrphans(() => undefined);
  const third = startOther(folder.path, "127.0.0.1:1");
  await third.line();
  third.write("add x");
  expect(await third.line()).toBe("1000001");
  await third.kill();

  using state = openState(folder.path, { processTimes: { heartbeatMs: 20, staleMs: 1_000_000 } });
  const queue = state.sendQueue(profileId);
  const { promise: taken, resolve } = Promise.withResolvers<UnsentMessage[]>();
  let takes = 0;
  using _2 = queue.takeOrphans((messages) => {
    takes++;
    resolve(messages);
  });
  expect([takes, queue.owned]).toEqual([0, false]);
  owned[Symbol.dispose]();
  expect(await taken).toHaveLength(1);
  expect(queue.owned).toBe(true);
});
