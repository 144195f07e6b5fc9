// The queue on disk: written down at once, and each message in the hands of exactly one living process.
import { expect, test } from "vitest";
import type { UnsentMessage } from "../../../client/link/model/send-queue.ts";
import { newFolder, openState, startOther, stateWithProfile } from "./fixture.ts";

const target = { kind: "user", username: "yoda" } as const;
const processTimes = { heartbeatMs: 50, staleMs: 60_000 };

test("what is queued is there after a restart, in order, with its content as it was", () => {
  using folder = newFolder();
  const content = Uint8Array.of(0, 255, 10, 1);
  let profileId: number;
  {
    const opened = stateWithProfile(folder.path);
    using _ = opened.state;
    profileId = opened.profileId;
    const queue = opened.state.sendQueue(profileId);
    queue.add(target, content);
    queue.add({ kind: "broadcast" }, content);
    queue.add({ kind: "conversation", conversationId: "c1" }, content);
    expect(queue.remove(1_000_002n)).toBe(true);
    expect(queue.remove(1_000_002n)).toBe(false);
  }
  using state = openState(folder.path);
  const taken: UnsentMessage[] = [];
  using _ = state.sendQueue(profileId).takeOrphans((messages) => taken.push(...messages));
  expect(taken).toMatchObject([
    { clientMessageId: 1_000_001n, target, content, held: false },
    { clientMessageId: 1_000_003n, target: { kind: "conversation", conversationId: "c1" } },
  ]);
});

test("one process owns the queue; when it is killed another takes its messages, once", async () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path, { processTimes });
  using _ = state;
  await using first = startOther(folder.path, "127.0.0.1:1");
  await first.line();
  first.say("own");
  expect(await first.line()).toBe("owned true");
  first.say("add one");
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
  third.say("own");
  expect(await third.line()).toBe("owned false");
  expect(queue.owned).toBe(false);
  expect(takes).toBe(0);

  await first.kill();
  const heard = third.line();
  const heir = await Promise.race([taken.then(() => "me"), heard]);
  if (heir === "me") {
    expect(queue.owned).toBe(true);
    expect(await taken).toMatchObject([
      { clientMessageId: 1_000_001n, content: Uint8Array.from(Buffer.from("one")) },
    ]);
    watch[Symbol.dispose]();
    // Handed back in an orderly end, it goes to the one that is left.
    expect(await heard).toBe("took 1000001");
  } else {
    expect(heir).toBe("took 1000001");
    expect(queue.owned).toBe(false);
    await third.kill();
    expect(await taken).toMatchObject([{ clientMessageId: 1_000_001n }]);
  }
});

test("a process that is silent for too long is taken for dead although its pid exists", async () => {
  using folder = newFolder();
  const { state: sleeper, profileId } = stateWithProfile(folder.path, {
    processTimes: { heartbeatMs: 1_000_000, staleMs: 1_000_000 },
  });
  using _1 = sleeper;
  sleeper.sendQueue(profileId).add(target, Buffer.from("x"));
  using state = openState(folder.path, { processTimes: { heartbeatMs: 20, staleMs: 100 } });
  const { promise: taken, resolve } = Promise.withResolvers<UnsentMessage[]>();
  using _2 = state.sendQueue(profileId).takeOrphans(resolve);
  expect(await taken).toHaveLength(1);
});

test("a message can be held, and one that is gone says so", () => {
  using folder = newFolder();
  const { state, profileId } = stateWithProfile(folder.path);
  using _ = state;
  const queue = state.sendQueue(profileId);
  const { clientMessageId } = queue.add(target, Buffer.from("x"));
  expect(queue.setHeld(clientMessageId, true)).toBe(true);
  expect(state.unsent(profileId)).toMatchObject([{ held: true }]);
  expect(state.removeUnsent(profileId, clientMessageId)).toBe(true);
  expect(queue.setHeld(clientMessageId, false)).toBe(false);
});

test("who does not own the queue takes nothing, until the owner lets it go", async () => {
  using folder = newFolder();
  const { state: owner, profileId } = stateWithProfile(folder.path, {
    processTimes: { heartbeatMs: 1_000_000, staleMs: 1_000_000 },
  });
  using _1 = owner;
  using owned = owner.sendQueue(profileId).takeOrphans(() => undefined);
  const third = startOther(folder.path, "127.0.0.1:1");
  await third.line();
  third.say("add x");
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
