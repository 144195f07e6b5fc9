// The store's promises about the conversation log: numbering, repeats, announcement, markers.
import { describe, expect, it } from "vitest";
import { type AppendedEntry, type StoredEntry, StoreUnavailableError } from "../../server/store/store.ts";
import { bytes, entry, type Fixture, newUser } from "./store-fixture.ts";

export function logPromises(fixture: Fixture): void {
  describe("appending", () => {
    it("numbers each conversation 1, 2, 3 … in the order of the calls, from many senders at once", async () => {
      const ids = await fixture.users("ada", "bob", "cyd", "dan");
      const [ada, bob] = ids;
      const { log, broadcastId } = fixture.store;
      const results = await Promise.all(
        Array.from({ length: 1_200 }, (_, i) => {
          const sender = ids[i % 4] ?? ada;
          const target =
            i % 3 === 0 ? { conversationId: broadcastId } : { peerId: sender === ada ? bob : ada };
          return log.append(entry(sender, i + 1, target, `text ${i}`));
        }),
      );
      const bySeq = new Map<number, number[]>();
      for (const result of results) {
        if (result.status !== "stored") throw new Error(result.status);
        bySeq.set(result.conversationId, [...(bySeq.get(result.conversationId) ?? []), result.seq]);
      }
      expect(bySeq.size).toBe(4);
      for (const [conversationId, seqs] of bySeq) {
        expect(seqs).toEqual(seqs.map((_, i) => i + 1));
        const stored = await log.entries(conversationId, 1, 10_000, 10_000);
        expect(stored.map((row) => row.seq)).toEqual(seqs);
      }
    });

    it("keeps what was appended, byte for byte, with sender, recipient and time", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      const content = Uint8Array.from({ length: 3_000 }, (_, i) => i % 256);
      const sent = { ...entry(ada, 2n ** 64n - 1n, { peerId: bob }), content, time: 1_700_000_000_123 };
      const result = await log.append(sent);
      await log.append(entry(bob, 1, { peerId: ada }, ""));
      if (result.status !== "stored") throw new Error(result.status);
      const { conversationId } = result;
      const [first, second] = await log.entries(conversationId, 1, 9, 9);
      const kind = "direct";
      expect(first).toEqual({
        conversationId,
        seq: 1,
        kind,
        senderId: ada,
        recipientId: bob,
        time: sent.time,
        content,
      });
      expect(second).toMatchObject({ seq: 2, senderId: bob, recipientId: ada, content: new Uint8Array() });
    });

    it("gives the first answer again for a repeated send, also after a restart", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const sent = entry(ada, 7, { peerId: bob }, "once");
      const [first, twin] = await Promise.all([
        fixture.store.log.append(sent),
        fixture.store.log.append(sent),
      ]);
      if (first.status !== "stored") throw new Error(first.status);
      const repeated = { ...first, status: "repeated" };
      expect(twin).toEqual(repeated);
      const later = { ...sent, time: 9_999 };
      expect(await fixture.store.log.append(later)).toEqual(repeated);
      expect(await (await fixture.under.reopen()).log.append(later)).toEqual(repeated);
      const { conversationId } = first;
      expect(await fixture.store.log.append({ ...later, target: { conversationId } })).toEqual(repeated);
      expect(await fixture.store.log.entries(conversationId, 1, 99, 99)).toHaveLength(1);
      expect(await fixture.store.log.append(entry(ada, 8, { peerId: bob }))).toMatchObject({
        status: "stored",
        seq: 2,
      });
    });

    it("refuses a client message id with other content or another target, and numbers nothing for it", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log, broadcastId } = fixture.store;
      await log.append(entry(ada, 7, { peerId: bob }, "one"));
      const refused = await Promise.all([
        log.append(entry(ada, 7, { peerId: bob }, "two")),
        log.append(entry(ada, 7, { peerId: cyd }, "one")),
        log.append(entry(ada, 7, { conversationId: broadcastId }, "one")),
      ]);
      expect(refused).toEqual(Array(3).fill({ status: "id-reused" }));
      expect(await log.directConversation(ada, cyd)).toBeUndefined();
      expect(await log.append(entry(ada, 8, { peerId: bob }))).toMatchObject({ status: "stored", seq: 2 });
      // The same number from another device is another send.
      expect(await log.append(entry(bob, 7, { peerId: ada }, "two"))).toMatchObject({
        status: "stored",
        seq: 3,
      });
    });

    it("refuses targets that are not there or not the sender's", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log, accounts } = fixture.store;
      const first = await log.append(entry(ada, 1, { peerId: bob }));
      if (first.status !== "stored") throw new Error(first.status);
      const { conversationId } = first;
      expect(await log.append(entry(ada, 2, { peerId: 999 }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(ada, 2, { peerId: ada }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(ada, 2, { conversationId: 999 }))).toEqual({ status: "no-conversation" });
      expect(await log.append(entry(cyd, 2, { conversationId }))).toEqual({ status: "no-conversation" });
      await accounts.removeUser("bob");
      expect(await log.append(entry(ada, 2, { peerId: bob }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(ada, 2, { conversationId }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(bob, 3, { conversationId: fixture.store.broadcastId }))).toEqual({
        status: "no-user",
      });
      // A retry of what was stored while bob was there still gets its answer.
      expect(await log.append(entry(ada, 1, { peerId: bob }))).toMatchObject({ status: "repeated", seq: 1 });
    });

    it("keeps what the others of a group did when one of them fails", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, accounts } = fixture.store;
      const hash = bytes("twice the same");
      const results = await Promise.allSettled([
        log.append(entry(ada, 1, { peerId: bob })),
        accounts.addInvite(hash, 1, 9_000, 1_000),
        accounts.addInvite(hash, 1, 9_000, 1_000),
        accounts.importUsers([newUser("dan"), { ...newUser("eve"), time: Number.NaN }]),
        accounts.addUser(newUser("cyd")),
        log.append(entry(bob, 1, { peerId: ada })),
      ]);
      expect(results.map((result) => result.status)).toEqual([
        "fulfilled",
        "fulfilled",
        "rejected",
        "rejected",
        "fulfilled",
        "fulfilled",
      ]);
      expect((await log.directConversation(ada, bob))?.headSeq).toBe(2);
      expect(await accounts.knownNames(["cyd", "dan", "eve"])).toEqual(["cyd"]);
    });
  });

  describe("announcement", () => {
    it("comes once per entry, in order, before the promise, with the origin; a repeat is not announced", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, broadcastId } = fixture.store;
      const heard: AppendedEntry[] = [];
      log.onAppended((entries) => heard.push(...entries));
      const origin = {};
      const sent = { ...entry(ada, 1, { peerId: bob }, "hi"), origin };
      const result = await log.append(sent).then((answer) => ({ answer, heardBefore: heard.length }));
      expect(result).toMatchObject({ answer: { status: "stored", seq: 1 }, heardBefore: 1 });
      expect(heard[0]).toMatchObject({
        seq: 1,
        kind: "direct",
        senderId: ada,
        recipientId: bob,
        clientMessageId: 1n,
        content: bytes("hi"),
      });
      expect(heard[0]?.origin).toBe(origin);
      await log.append(sent);
      await log.append(entry(bob, 1, { conversationId: broadcastId }));
      expect(heard.slice(1)).toMatchObject([
        { seq: 1, kind: "broadcast", conversationId: broadcastId, recipientId: undefined },
      ]);
    });

    it("comes before any read shows the entry, while reads and appends hammer the store", async () => {
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

  describe("reading the log", () => {
    it("answers the lowest or the newest of a range, by rising seq", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => log.append(entry(ada, i + 1, { peerId: bob }, `${i + 1}`))),
      );
      const row = await log.directConversation(bob, ada);
      const read = async (...range: [number, number, number, boolean?]) =>
        (await log.entries(row?.conversationId ?? 0, ...range)).map((stored) => stored.seq);
      expect(await read(3, 18, 4)).toEqual([3, 4, 5, 6]);
      expect(await read(3, 18, 4, true)).toEqual([15, 16, 17, 18]);
      expect(await read(21, 30, 4)).toEqual([]);
      expect(await log.entries(999, 1, 10, 10)).toEqual([]);
    });

    it("lists a user's conversations by id, in pages, each as that user sees it", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log, accounts, broadcastId } = fixture.store;
      await log.append(entry(ada, 1, { peerId: bob }));
      await log.append(entry(ada, 2, { peerId: cyd }));
      await log.append(entry(bob, 1, { peerId: cyd }));
      await accounts.removeUser("cyd");
      const all = await log.conversations(ada, 0, 10);
      expect(all.map((row) => row.peer?.username)).toEqual([undefined, "bob", "cyd"]);
      expect(all[0]).toEqual({
        conversationId: broadcastId,
        kind: "broadcast",
        headSeq: 0,
        peer: undefined,
        markers: { deliveredSeq: 0, readSeq: 0 },
        peerMarkers: undefined,
        undelivered: [],
      });
      const first = await log.conversations(ada, 0, 2);
      expect(first).toEqual(all.slice(0, 2));
      expect(await log.conversations(ada, first.at(-1)?.conversationId ?? 0, 2)).toEqual(all.slice(2));
      const last = all[2];
      if (last === undefined) throw new Error("too few");
      expect(await log.conversation(ada, last.conversationId)).toEqual(last);
      expect(await log.conversation(bob, last.conversationId)).toBeUndefined();
      expect(await log.directConversation(ada, cyd)).toEqual(last);
      expect(await log.directConversation(ada, 999)).toBeUndefined();
    });
  });

  describe("markers", () => {
    it("only rise, take delivered along with read, and are refused beyond the head", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log } = fixture.store;
      for (let i = 1; i <= 5; i++) await log.append(entry(ada, i, { peerId: bob }));
      const conversationId = (await log.directConversation(ada, bob))?.conversationId ?? 0;
      const raise = (deliveredSeq: number, readSeq: number) =>
        log.raiseMarkers(bob, [{ conversationId, deliveredSeq, readSeq }]);
      const ok = { status: "ok", conversationId, kind: "direct", peerId: ada, undelivered: [] };
      expect(await raise(3, 0)).toEqual([{ ...ok, rose: true, markers: { deliveredSeq: 3, readSeq: 0 } }]);
      expect(await raise(2, 1)).toEqual([{ ...ok, rose: true, markers: { deliveredSeq: 3, readSeq: 1 } }]);
      expect(await raise(0, 4)).toEqual([{ ...ok, rose: true, markers: { deliveredSeq: 4, readSeq: 4 } }]);
      expect(await raise(4, 2)).toEqual([{ ...ok, rose: false, markers: { deliveredSeq: 4, readSeq: 4 } }]);
      expect(await raise(6, 0)).toEqual([{ status: "beyond-head", conversationId, headSeq: 5 }]);
      expect(await log.raiseMarkers(cyd, [{ conversationId, deliveredSeq: 1, readSeq: 1 }])).toEqual([
        { status: "no-conversation", conversationId },
      ]);
      expect((await log.conversation(ada, conversationId))?.peerMarkers).toEqual({
        deliveredSeq: 4,
        readSeq: 4,
      });
      expect((await log.conversation(bob, conversationId))?.markers).toEqual({ deliveredSeq: 4, readSeq: 4 });
    });

    it("answers one result per marker, in order, and sees appends handed in before", async () => {
      const [ada] = await fixture.users("ada");
      const { log, broadcastId } = fixture.store;
      const [, results] = await Promise.all([
        log.append(entry(ada, 1, { conversationId: broadcastId })),
        log.raiseMarkers(ada, [
          { conversationId: 999, deliveredSeq: 1, readSeq: 0 },
          { conversationId: broadcastId, deliveredSeq: 1, readSeq: 0 },
        ]),
      ]);
      expect(results).toMatchObject([
        { status: "no-conversation" },
        { status: "ok", rose: true, kind: "broadcast", peerId: undefined },
      ]);
      expect((await log.conversation(ada, broadcastId))?.markers).toEqual({ deliveredSeq: 1, readSeq: 0 });
    });
  });

  describe("closing", () => {
    it("finishes what was handed in, and refuses what comes after", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { store } = fixture;
      const handedIn = Array.from({ length: 50 }, (_, i) =>
        store.log.append(entry(ada, i + 1, { peerId: bob })),
      );
      const read = store.accounts.userByName("ada");
      const closed = store[Symbol.asyncDispose]();
      await expect(store.log.append(entry(ada, 99, { peerId: bob }))).rejects.toThrow(StoreUnavailableError);
      await expect(store.accounts.userByName("ada")).rejects.toThrow(StoreUnavailableError);
      expect((await Promise.all(handedIn)).map((result) => result.status)).toEqual(Array(50).fill("stored"));
      expect(await read).toBeDefined();
      await closed;
      await expect(store.log.entries(1, 1, 1, 1)).rejects.toThrow(StoreUnavailableError);
      const again = await fixture.under.reopen();
      expect(again.serverId).toBe(store.serverId);
      expect((await again.log.directConversation(ada, bob))?.headSeq).toBe(50);
    });
  });
}
