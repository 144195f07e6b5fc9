// The store's promises about blocks: which entries are refused, and which are hidden from whom, permanently.
import { describe, expect, it } from "vitest";
import type { CommittedEntry } from "../../server/store/store.ts";
import { entry, type Fixture } from "./store-fixture.ts";

export function blockPromises(fixture: Fixture): void {
  describe("blocks", () => {
    it("are stored, in one direction, and listed by name", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { blocks } = fixture.store;
      expect(await blocks.block(ada, cyd, 7)).toBe("blocked");
      expect(await blocks.block(ada, bob, 8)).toBe("blocked");
      expect(await blocks.block(ada, bob, 9)).toBe("already-blocked");
      expect(await blocks.block(ada, 999, 9)).toBe("no-user");
      const { blocks: reopened } = await fixture.under.reopen();
      expect(await reopened.listBlocks(ada, "", 10)).toEqual([
        { user: { userId: bob, username: fixture.name("bob") }, createTime: 8 },
        { user: { userId: cyd, username: fixture.name("cyd") }, createTime: 7 },
      ]);
      expect(await reopened.listBlocks(ada, fixture.name("bob"), 10)).toMatchObject([{ createTime: 7 }]);
      expect(await reopened.listBlocks(ada, "", 1)).toMatchObject([{ createTime: 8 }]);
      expect(await reopened.listBlocks(bob, "", 10)).toEqual([]);
      expect(await reopened.isBlocking(ada, bob)).toBe(true);
      expect(await reopened.isBlocking(bob, ada)).toBe(false);
      expect(await reopened.isBetween(bob, ada)).toBe(true);
      expect(await reopened.isBetween(bob, cyd)).toBe(false);
      expect(await reopened.unblock(bob, ada)).toEqual({ status: "not-blocked" });
      expect(await reopened.unblock(ada, bob)).toEqual({ status: "unblocked", conversation: undefined });
      expect(await reopened.unblock(ada, bob)).toEqual({ status: "not-blocked" });
    });

    it("refuse later entries of the same group, and no earlier ones", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, blocks } = fixture.store;
      const before = log.append(entry(bob, 1, { peerId: ada }, "before"));
      const block = blocks.block(ada, bob, 1);
      const after = log.append(entry(bob, 2, { peerId: ada }, "after"));
      const unblock = blocks.unblock(ada, bob);
      const again = log.append(entry(bob, 3, { peerId: ada }, "again"));
      expect(await before).toMatchObject({ status: "stored", seq: 1 });
      expect(await block).toBe("blocked");
      expect(await after).toEqual({ status: "blocked" });
      expect(await unblock).toMatchObject({ status: "unblocked" });
      expect(await again).toMatchObject({ status: "stored", seq: 2 });
    });

    it("refuse entries by conversation id too, allow the blocker to write, and repeat earlier results", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, blocks } = fixture.store;
      const first = await log.append(entry(bob, 1, { peerId: ada }, "first"));
      if (first.status !== "stored") throw new Error(first.status);
      const { conversationId } = first;
      await blocks.block(ada, bob, 1);
      expect(await log.append(entry(bob, 2, { conversationId }))).toEqual({ status: "blocked" });
      expect(await log.append(entry(ada, 1, { peerId: bob }))).toMatchObject({ status: "stored", seq: 2 });
      expect(await log.append(entry(bob, 1, { peerId: ada }, "first"))).toMatchObject({
        status: "repeated",
        seq: 1,
      });
      expect(await log.append(entry(bob, 1, { peerId: ada }, "other"))).toEqual({ status: "id-reused" });
    });

    it("hide all that is undelivered if it is long, without a look at each entry", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { log, blocks } = fixture.store;
      for (const peer of [bob, cyd]) {
        const ids = Array.from({ length: 1_001 }, (_, index) => index + 1);
        await Promise.all(ids.map((id) => log.append(entry(ada, peer * 2_000 + id, { peerId: peer }))));
      }
      await log.append(entry(bob, 1, { peerId: ada }));
      for (const peer of [bob, cyd]) await blocks.block(ada, peer, 1);
      expect(await log.directConversation(bob, ada)).toMatchObject({ undelivered: [{ from: 1, to: 1_002 }] });
      // None of the entries is of the blocked user, so that the range hides nothing.
      expect(await log.directConversation(cyd, ada)).toMatchObject({ undelivered: [{ from: 1, to: 1_001 }] });
    });

    it("hide undelivered entries, only from the blocker and permanently", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, blocks } = fixture.store;
      for (const [sender, peer, id] of [
        [bob, ada, 1],
        [bob, ada, 2],
        [ada, bob, 1],
        [bob, ada, 3],
      ] as const) {
        await log.append(entry(sender, id, { peerId: peer }));
      }
      const [, row] = await log.conversations(ada, 0, 10);
      const conversationId = row?.conversationId ?? 0;
      await log.raiseMarkers(ada, [{ conversationId, deliveredSeq: 1, readSeq: 0 }], 7_000);
      await blocks.block(ada, bob, 1);
      const visible = [
        { from: 1, to: 1 },
        { from: 3, to: 3 },
      ];
      expect(await log.visibleRanges(ada, conversationId, 1, 4)).toEqual(visible);
      expect(await log.visibleRanges(bob, conversationId, 1, 4)).toEqual([{ from: 1, to: 4 }]);
      await blocks.unblock(ada, bob);
      await log.append(entry(bob, 4, { peerId: ada }));
      const later = await fixture.under.reopen();
      expect(await later.log.visibleRanges(ada, conversationId, 1, 5)).toEqual([
        { from: 1, to: 1 },
        { from: 3, to: 3 },
        { from: 5, to: 5 },
      ]);
      expect(await later.log.visibleRanges(ada, conversationId, 2, 2)).toEqual([]);
      expect(await later.log.directConversation(bob, ada)).toMatchObject({
        undelivered: [{ from: 2, to: 4 }],
      });
      expect(await later.log.directConversation(ada, bob)).toMatchObject({ undelivered: [] });
      // A second block with the same marker extends the range.
      await later.blocks.block(ada, bob, 2);
      expect(await later.log.visibleRanges(ada, conversationId, 1, 5)).toEqual(visible);
      expect(await later.log.directConversation(bob, ada)).toMatchObject({
        undelivered: [{ from: 2, to: 5 }],
      });
    });

    it("hide the markers of both users from each other until neither blocks the other", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { log, blocks } = fixture.store;
      for (const id of [1, 2, 3]) await log.append(entry(bob, id, { peerId: ada }));
      const { conversationId = 0 } = (await log.directConversation(ada, bob)) ?? {};
      const raise = (userId: number, seq: number) =>
        log.raiseMarkers(userId, [{ conversationId, deliveredSeq: seq, readSeq: seq }], 7_000);
      const shownOfAda = async () => (await log.directConversation(bob, ada))?.peerMarkers?.readSeq;
      const shownOfBob = async () => (await log.directConversation(ada, bob))?.peerMarkers?.readSeq;
      expect(await raise(ada, 1)).toMatchObject([{ rose: true, peerId: bob }]);
      await blocks.block(ada, bob, 1);
      await blocks.block(bob, ada, 1);
      expect(await raise(ada, 2)).toMatchObject([{ rose: true, peerId: undefined }]);
      expect(await raise(bob, 3)).toMatchObject([{ rose: true, peerId: undefined }]);
      expect([await shownOfAda(), await shownOfBob()]).toEqual([1, 0]);
      expect(await blocks.unblock(ada, bob)).toEqual({ status: "unblocked", conversation: undefined });
      expect([await shownOfAda(), await shownOfBob()]).toEqual([1, 0]);
      expect(await blocks.unblock(bob, ada)).toMatchObject({
        status: "unblocked",
        conversation: {
          conversationId,
          blockerMarkers: { deliveredSeq: 3, readSeq: 3 },
          blockedMarkers: { deliveredSeq: 2, readSeq: 2 },
          hiddenFromBlocker: [],
          hiddenFromBlocked: [{ from: 2, to: 3 }],
        },
      });
      expect([await shownOfAda(), await shownOfBob()]).toEqual([2, 3]);
    });

    it("leave the blocker out of the list of online users for the blocked user", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { blocks, presence } = fixture.store;
      for (const user of [ada, bob, cyd]) await fixture.online(user, 10);
      await blocks.block(ada, bob, 1);
      const seenBy = async (asking: number) =>
        (await presence.list(0, 20, asking, fixture.name(""), 10)).map(({ user }) => user.username);
      expect(await seenBy(bob)).toEqual([fixture.name("cyd")]);
      expect(await seenBy(ada)).toEqual(["bob", "cyd"].map(fixture.name));
      expect(await seenBy(cyd)).toEqual(["ada", "bob"].map(fixture.name));
    });

    describe("in a new store", () => {
      fixture.ownStore();

      it("hide broadcasts while they last, and report it to the author whether the blocker is online or not", async () => {
        const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
        const { log, blocks, broadcastId: conversationId } = fixture.store;
        const announced: CommittedEntry[] = [];
        await log.follow(({ entries }) => {
          announced.push(...entries);
        });
        const say = (sender: number, id: number) => log.append(entry(sender, id, { conversationId }));
        await blocks.block(ada, bob, 1);
        expect(await say(bob, 1)).toMatchObject({ seq: 1, withheld: true });
        await fixture.online(ada, 10);
        expect(await say(bob, 2)).toMatchObject({ seq: 2, withheld: true });
        expect(await say(cyd, 1)).toMatchObject({ seq: 3, withheld: false });
        await fixture.offline(ada, 20);
        expect(await say(bob, 3)).toMatchObject({ seq: 4, withheld: true });
        await fixture.online(ada, 30);
        await blocks.unblock(ada, bob);
        expect(await say(bob, 4)).toMatchObject({ seq: 5, withheld: false });
        expect(announced.map(({ seq, hiddenFrom, withheld }) => [seq, hiddenFrom, withheld])).toEqual([
          [1, [ada], true],
          [2, [ada], true],
          [3, [], false],
          [4, [ada], true],
          [5, [], false],
        ]);
        // The results are the first ones, although the block has ended.
        expect(await say(bob, 2)).toMatchObject({ status: "repeated", seq: 2, withheld: true });
        expect(await say(bob, 4)).toMatchObject({ status: "repeated", seq: 5, withheld: false });
        const later = await fixture.under.reopen();
        // What is read later says the same.
        const read = await later.log.since(0, 100, 1e6);
        const before = announced.map((each) => ({ ...each, isOwn: false }));
        expect(read).toEqual({ from: 1, to: 5, entries: before });
        expect(await later.log.visibleRanges(ada, conversationId, 1, 5)).toEqual([
          { from: 3, to: 3 },
          { from: 5, to: 5 },
        ]);
      });
    });
  });
}
