// The queue of unsent messages on disk.
import { expect, test } from "vitest";
import type { UnsentMessage } from "../../../client/link/model/send-queue.ts";
import { newFolder, openState, stateWithProfile } from "./fixture.ts";

const target = { kind: "user", username: "yoda" } as const;

test("queued messages survive a restart, in order and unchanged", () => {
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

test("a process without heartbeats counts as ended although its pid exists", async () => {
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

test("a message can be held, and a deleted one cannot", () => {
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
