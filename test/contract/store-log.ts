// The store's promises about the conversation log: numbering, repeats, reads, markers.
import { describe, expect, it } from "vitest";
import { bytes, entry, type Fixture } from "./store-fixture.ts";

const marks = (deliveredSeq: number, readSeq: number, deliveredTime: number, readTime: number) => ({
  deliveredSeq,
  readSeq,
  deliveredTime,
  readTime,
});

export function logPromises(fixture: Fixture): void {
  describe("appending", () => {
    describe("to a new store", () => {
      fixture.ownStore();

      it("numbers each conversation 1, 2, 3 … in the order of the calls, with many concurrent senders", async () => {
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
    });

    it("stores the content byte for byte, with sender, recipient and time", async () => {
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

    it("finds the first entry of a time", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log } = fixture.store;
      let conversationId = 0;
      for (const [index, time] of [1_000, 2_000, 2_000, 4_000].entries()) {
        const result = await log.append({ ...entry(ada, index + 1, { peerId: bob }), time });
        if (result.status === "stored") conversationId = result.conversationId;
      }
      const seqs = [-1, 0, 1_000, 1_001, 2_000, 2_001, 4_000, 4_001].map((time) =>
        log.seqAt(conversationId, time),
      );
      expect(await Promise.all(seqs)).toEqual([1, 1, 1, 2, 2, 4, 4, 5]);
      expect(await log.seqAt(999_999, 0)).toBe(1);
    });

    it("answers a repeated send with the first result, also after a restart", async () => {
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

    it("refuses a client message id with other content or another target, and uses no seq for it", async () => {
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
      // The same client message id from another device is another send.
      expect(await log.append(entry(bob, 7, { peerId: ada }, "two"))).toMatchObject({
        status: "stored",
        seq: 3,
      });
    });

    it("refuses targets that do not exist or that the sender is not in", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log, accounts } = fixture.store;
      const first = await log.append(entry(ada, 1, { peerId: bob }));
      if (first.status !== "stored") throw new Error(first.status);
      const { conversationId } = first;
      expect(await log.append(entry(ada, 2, { peerId: 999 }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(ada, 2, { peerId: ada }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(ada, 2, { conversationId: 999 }))).toEqual({ status: "no-conversation" });
      expect(await log.append(entry(cyd, 2, { conversationId }))).toEqual({ status: "no-conversation" });
      await accounts.removeUser(fixture.name("bob"));
      expect(await log.append(entry(ada, 2, { peerId: bob }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(ada, 2, { conversationId }))).toEqual({ status: "no-user" });
      expect(await log.append(entry(bob, 3, { conversationId: fixture.store.broadcastId }))).toEqual({
        status: "no-user",
      });
      // A retry of a send from before bob was removed still gets its result.
      expect(await log.append(entry(ada, 1, { peerId: bob }))).toMatchObject({ status: "repeated", seq: 1 });
    });

    it("commits the other writes of a group when one of them fails", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, accounts } = fixture.store;
      const hash = bytes(fixture.name("twice the same"));
      const results = await Promise.allSettled([
        log.append(entry(ada, 1, { peerId: bob })),
        accounts.addInvite(hash, 1, 9_000, 1_000),
        accounts.addInvite(hash, 1, 9_000, 1_000),
        accounts.importUsers([fixture.newUser("dan"), fixture.newUser("eve", { time: Number.NaN })]),
        accounts.addUser(fixture.newUser("cyd")),
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
      expect(await accounts.knownNames(["cyd", "dan", "eve"].map(fixture.name))).toEqual([
        fixture.name("cyd"),
      ]);
    });
  });

  describe("reading the log", () => {
    it("returns the lowest or the newest entries of a range, in ascending order", async () => {
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
      // The contents of the first nine have one byte each.
      const within = async (maxBytes: number, newest: boolean) =>
        (await log.entries(row?.conversationId ?? 0, 1, 9, 9, newest, maxBytes)).map((stored) => stored.seq);
      expect(await within(3, false)).toEqual([1, 2, 3]);
      expect(await within(3, true)).toEqual([7, 8, 9]);
      expect(await within(0, false)).toEqual([1]);
    });

    it("lists a user's conversations by id, in pages, as that user sees them", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log, accounts, broadcastId } = fixture.store;
      await log.append(entry(ada, 1, { peerId: bob }));
      await log.append(entry(ada, 2, { peerId: cyd }));
      await log.append(entry(bob, 1, { peerId: cyd }));
      await accounts.removeUser(fixture.name("cyd"));
      const all = await log.conversations(ada, 0, 10);
      expect(all.map((row) => row.peer?.username)).toEqual([
        undefined,
        fixture.name("bob"),
        fixture.name("cyd"),
      ]);
      expect(all[0]).toEqual({
        conversationId: broadcastId,
        kind: "broadcast",
        headSeq: 0,
        peer: undefined,
        markers: marks(0, 0, 0, 0),
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
    it("only rise, raise delivered along with read, and are refused above the head", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log } = fixture.store;
      for (let i = 1; i <= 5; i++) await log.append(entry(ada, i, { peerId: bob }));
      const conversationId = (await log.directConversation(ada, bob))?.conversationId ?? 0;
      const raise = (deliveredSeq: number, readSeq: number, time: number) =>
        log.raiseMarkers(bob, [{ conversationId, deliveredSeq, readSeq }], time);
      const ok = { status: "ok", conversationId, kind: "direct", peerId: ada, undelivered: [] };
      expect(await raise(3, 0, 1_000)).toEqual([{ ...ok, rose: true, markers: marks(3, 0, 1_000, 0) }]);
      expect(await raise(2, 1, 2_000)).toEqual([{ ...ok, rose: true, markers: marks(3, 1, 1_000, 2_000) }]);
      expect(await raise(0, 4, 3_000)).toEqual([{ ...ok, rose: true, markers: marks(4, 4, 3_000, 3_000) }]);
      expect(await raise(4, 2, 4_000)).toEqual([{ ...ok, rose: false, markers: marks(4, 4, 3_000, 3_000) }]);
      expect(await raise(6, 0, 5_000)).toEqual([{ status: "beyond-head", conversationId, headSeq: 5 }]);
      expect(await log.raiseMarkers(cyd, [{ conversationId, deliveredSeq: 1, readSeq: 1 }], 7_000)).toEqual([
        { status: "no-conversation", conversationId },
      ]);
      expect((await log.conversation(ada, conversationId))?.peerMarkers).toEqual(marks(4, 4, 3_000, 3_000));
      expect((await log.conversation(bob, conversationId))?.markers).toEqual(marks(4, 4, 3_000, 3_000));
      expect((await log.conversation(ada, conversationId))?.markers).toEqual(marks(0, 0, 0, 0));
    });

    it("return one result per marker, in order, and see earlier appends", async () => {
      const [ada] = await fixture.users("ada");
      const { log, broadcastId } = fixture.store;
      const [, results] = await Promise.all([
        log.append(entry(ada, 1, { conversationId: broadcastId })),
        log.raiseMarkers(
          ada,
          [
            { conversationId: 999, deliveredSeq: 1, readSeq: 0 },
            { conversationId: broadcastId, deliveredSeq: 1, readSeq: 0 },
          ],
          8_000,
        ),
      ]);
      expect(results).toMatchObject([
        { status: "no-conversation" },
        { status: "ok", rose: true, kind: "broadcast", peerId: undefined },
      ]);
      expect((await log.conversation(ada, broadcastId))?.markers).toEqual(marks(1, 0, 8_000, 0));
    });
  });
}
