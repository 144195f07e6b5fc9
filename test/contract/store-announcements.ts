// The store's promises about announcements of entries, and about closing.
import { describe, expect, it } from "vitest";
import { type CommittedEntry, type StoredEntry, StoreUnavailableError } from "../../server/store/store.ts";
import { bytes, entry, type Fixture } from "./store-fixture.ts";

export function announcementPromises(fixture: Fixture): void {
  describe("an announcement", () => {
    fixture.ownStore();

    it("is made once per entry, in order, before the promise resolves, and not for a repeat", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, broadcastId } = fixture.store;
      const announced: CommittedEntry[] = [];
      const following = await log.follow(({ entries }) => {
        announced.push(...entries);
      });
      const sent = entry(ada, 1, { peerId: bob }, "hi");
      const result = await log.append(sent).then((answer) => ({ answer, announcedBefore: announced.length }));
      expect(result).toMatchObject({ answer: { status: "stored", seq: 1 }, announcedBefore: 1 });
      expect(announced[0]).toMatchObject({
        seq: 1,
        kind: "direct",
        senderId: ada,
        recipientId: bob,
        deviceId: ada,
        clientMessageId: 1n,
        content: bytes("hi"),
      });
      await log.append(sent);
      await log.append(entry(bob, 1, { conversationId: broadcastId }));
      expect(announced.slice(1)).toMatchObject([
        { seq: 1, kind: "broadcast", conversationId: broadcastId, recipientId: undefined },
      ]);
      expect(following.position).toBe(2);
      await following.look();
      following[Symbol.dispose]();
      await log.append(entry(ada, 2, { peerId: bob }));
      expect(announced).toHaveLength(2);
    });

    it("reaches each follower, from the time when it began to follow", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      const seen: [string, number, number][] = [];
      const follow = (name: string) =>
        log.follow(({ from, to }) => {
          seen.push([name, from, to]);
        });
      await follow("first");
      await log.append(entry(ada, 1, { peerId: bob }));
      const second = await follow("second");
      await log.append(entry(ada, 2, { peerId: bob }));
      expect(seen).toEqual([
        ["first", 1, 1],
        ["first", 2, 2],
        ["second", 2, 2],
      ]);
      expect(second.position).toBe(2);
    });

    it("of the next group waits for a follower that is not ready, which then reads what it missed", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      const seen: number[] = [];
      const ready = Promise.withResolvers<void>();
      const following = await log.follow(({ entries }) => {
        seen.push(...entries.map(({ seq }) => seq));
        return ready.promise;
      });
      for (const id of [1, 2, 3]) await log.append(entry(ada, id, { peerId: bob }));
      expect(seen).toEqual([1]);
      ready.resolve();
      await following.look();
      expect(seen).toEqual([1, 2, 3]);
    });

    it("can be read again by position, within its bounds", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      const id = 2n ** 64n - 1n;
      await log.append(entry(ada, id, { peerId: bob }, "a"));
      for (const text of ["bb", "ccc", "dddd"])
        await log.append(entry(bob, text.length, { peerId: ada }, text));
      const texts = async (...range: Parameters<typeof log.since>) => {
        const { from, to, entries = [] } = (await log.since(...range)) ?? {};
        return [from, to, ...entries.map(({ content }) => Buffer.from(content).toString())];
      };
      expect(await texts(0, 2, 1e6)).toEqual([1, 2, "a", "bb"]);
      expect(await texts(1, 10, 5)).toEqual([2, 3, "bb", "ccc"]);
      expect(await texts(3, 10, 1)).toEqual([4, 4, "dddd"]);
      expect(await log.since(4, 10, 1e6)).toBeUndefined();
      expect((await log.since(0, 1, 1e6))?.entries).toMatchObject([
        {
          senderId: ada,
          recipientId: bob,
          deviceId: ada,
          clientMessageId: id,
          kind: "direct",
          withheld: false,
          isOwn: true,
        },
      ]);
    });

    it("is made before any read returns the entry, during many concurrent reads and appends", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      let announced = 0;
      await log.follow(({ entries }) => {
        announced = entries.at(-1)?.seq ?? announced;
      });
      const first = await log.append(entry(ada, 1, { peerId: bob }));
      if (first.status !== "stored") throw new Error(first.status);
      let going = true;
      const appends = (async () => {
        for (let round = 0; round < 150; round++) {
          await Promise.all(
            Array.from({ length: 8 }, (_, i) => log.append(entry(ada, 2 + round * 8 + i, { peerId: bob }))),
          );
        }
        going = false;
      })();
      let reads = 0;
      const early: StoredEntry[] = [];
      const check = async () => {
        while (going) {
          const [newest] = await log.entries(first.conversationId, 1, 1e9, 1, true);
          if (newest && newest.seq > announced) early.push(newest);
          const row = await log.conversation(ada, first.conversationId);
          expect(row?.headSeq ?? 0).toBeLessThanOrEqual(announced);
          reads++;
        }
      };
      await Promise.all([appends, check(), check(), check(), check()]);
      expect(early).toEqual([]);
      expect(announced).toBe(1_201);
      expect(reads).toBeGreaterThan(50);
    });
  });

  describe("closing", () => {
    fixture.ownStore();

    it("finishes earlier calls, and refuses later ones", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { store } = fixture;
      const earlier = Array.from({ length: 50 }, (_, i) =>
        store.log.append(entry(ada, i + 1, { peerId: bob })),
      );
      const read = store.accounts.userByName(fixture.name("ada"));
      const closed = store[Symbol.asyncDispose]();
      await expect(store.log.append(entry(ada, 99, { peerId: bob }))).rejects.toThrow(StoreUnavailableError);
      await expect(store.accounts.userByName(fixture.name("ada"))).rejects.toThrow(StoreUnavailableError);
      expect((await Promise.all(earlier)).map((result) => result.status)).toEqual(Array(50).fill("stored"));
      expect(await read).toBeDefined();
      await closed;
      await expect(store.log.entries(1, 1, 1, 1)).rejects.toThrow(StoreUnavailableError);
      const again = await fixture.under.reopen();
      expect(again.serverId).toBe(store.serverId);
      expect((await again.log.directConversation(ada, bob))?.headSeq).toBe(50);
    });
  });
}
