// The store's promises about announcements of entries, and about closing.
import { describe, expect, it } from "vitest";
import { type AppendedEntry, type StoredEntry, StoreUnavailableError } from "../../server/store/store.ts";
import { bytes, entry, type Fixture } from "./store-fixture.ts";

export function announcementPromises(fixture: Fixture): void {
  describe("an announcement", () => {
    fixture.ownStore();

    it("is made once per entry, in order, before the promise resolves, with the origin, and not for a repeat", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, broadcastId } = fixture.store;
      const announced: AppendedEntry[] = [];
      log.onAppended((entries) => announced.push(...entries));
      const origin = {};
      const sent = { ...entry(ada, 1, { peerId: bob }, "hi"), origin };
      const result = await log.append(sent).then((answer) => ({ answer, announcedBefore: announced.length }));
      expect(result).toMatchObject({ answer: { status: "stored", seq: 1 }, announcedBefore: 1 });
      expect(announced[0]).toMatchObject({
        seq: 1,
        kind: "direct",
        senderId: ada,
        recipientId: bob,
        clientMessageId: 1n,
        content: bytes("hi"),
      });
      expect(announced[0]?.origin).toBe(origin);
      await log.append(sent);
      await log.append(entry(bob, 1, { conversationId: broadcastId }));
      expect(announced.slice(1)).toMatchObject([
        { seq: 1, kind: "broadcast", conversationId: broadcastId, recipientId: undefined },
      ]);
    });

    it("is made before any read returns the entry, during many concurrent reads and appends", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      let announced = 0;
      log.onAppended((entries) => {
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
