// What two stores of two processes on one database promise about the log, besides what each one promises.
import { describe, expect, it } from "vitest";
import type { CommittedEntry, CommittedGroup } from "../../server/store/store.ts";
import type { HandleLog } from "../support/memory-log.ts";
import { entry } from "./store-fixture.ts";

export interface HandlesUnderTest extends AsyncDisposable {
  readonly one: HandleLog;
  readonly other: HandleLog;
  /** The ids of four users. The device of a user in entries has the same id. */
  readonly users: readonly [number, number, number, number];
}

/** Follows the log, and checks that no position is missing or repeated. */
async function follow(
  log: HandleLog,
): Promise<{ entries: CommittedEntry[]; look(): Promise<void>; end(): number }> {
  const entries: CommittedEntry[] = [];
  let end: number | undefined;
  const following = await log.follow(({ from, to, entries: some }: CommittedGroup) => {
    if (end !== undefined) expect(from).toBe(end + 1);
    expect(some).toHaveLength(to - from + 1);
    end = to;
    entries.push(...some);
  });
  return { entries, look: () => following.look(), end: () => following.position };
}

const places = (entries: readonly CommittedEntry[]) =>
  entries.map(({ conversationId, seq, deviceId, clientMessageId }) => [
    conversationId,
    seq,
    deviceId,
    clientMessageId,
  ]);

export function handlesContract(name: string, open: () => Promise<HandlesUnderTest>): void {
  describe(`two stores on one database: ${name}`, () => {
    it("three appenders: seqs and positions have no gap, and both follow the same order", async () => {
      await using under = await open();
      const { one, other, users } = under;
      const [ada, bob, cyd, dan] = users;
      const followers = [await follow(one), await follow(other)];
      const appender = async (log: HandleLog, from: number, to: number): Promise<void> => {
        for (let id = 1; id <= 60; id++) {
          expect(await log.append(entry(from, id, { peerId: to }))).toMatchObject({ status: "stored" });
        }
      };
      await Promise.all([appender(one, ada, dan), appender(other, bob, dan), appender(other, cyd, ada)]);
      // Both directions of one conversation, at both.
      await Promise.all(
        Array.from({ length: 40 }, (_, id) => [
          one.append(entry(ada, 1_000 + id, { peerId: dan })),
          other.append(entry(dan, 1_000 + id, { peerId: ada })),
        ]).flat(),
      );
      for (const { look } of followers) await look();
      const [first, second] = followers;
      expect(first?.entries).toHaveLength(260);
      expect(places(second?.entries ?? [])).toEqual(places(first?.entries ?? []));
      expect(second?.end()).toBe(first?.end());
      const bySeq = Map.groupBy(first?.entries ?? [], ({ conversationId }) => conversationId);
      for (const ofConversation of bySeq.values()) {
        expect(ofConversation.map(({ seq }) => seq)).toEqual(ofConversation.map((_, index) => index + 1));
      }
      expect([...bySeq.values()].map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([
        60, 60, 140,
      ]);
    });

    it("a send that reaches both at the same time is stored once, and repeated at the other", async () => {
      await using under = await open();
      const { one, other, users } = under;
      const [ada, bob] = users;
      const followers = [await follow(one), await follow(other)];
      for (let id = 1; id <= 30; id++) {
        const send = entry(ada, id, { peerId: bob }, `text ${id}`);
        const results = await Promise.all([one.append(send), other.append(send)]);
        expect(results.map(({ status }) => status).toSorted()).toEqual(["repeated", "stored"]);
        expect(results).toEqual([expect.objectContaining({ seq: id }), expect.objectContaining({ seq: id })]);
        expect(await one.append({ ...send, content: new Uint8Array([1]) })).toEqual({ status: "id-reused" });
      }
      for (const { look } of followers) await look();
      const [first, second] = followers.map(({ entries }) => entries);
      expect(first).toHaveLength(30);
      // Each entry is the own one of the store that answered "stored", and of no other.
      expect(first?.map(({ isOwn }) => isOwn)).toEqual(second?.map(({ isOwn }) => !isOwn));
    });

    it("an append is announced to the followers of its store before it resolves, with all that came before", async () => {
      await using under = await open();
      const { one, other, users } = under;
      const [ada, bob, cyd] = users;
      const mine = await follow(one);
      await other.append(entry(bob, 1, { peerId: cyd }));
      expect(mine.entries).toEqual([]);
      await one.append(entry(ada, 1, { peerId: bob }));
      expect(mine.entries.map(({ senderId, isOwn }) => [senderId, isOwn])).toEqual([
        [bob, false],
        [ada, true],
      ]);
    });
  });
}
