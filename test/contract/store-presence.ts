// The store's promises about presence: intervals of time and of broadcast seq.
import { describe, expect, it } from "vitest";
import { entry, type Fixture } from "./store-fixture.ts";

export function presencePromises(fixture: Fixture): void {
  /** So many more broadcasts by this user. */
  let last = 0;
  async function broadcast(senderId: number, count: number): Promise<void> {
    const { log, broadcastId } = fixture.store;
    for (let i = 0; i < count; i++)
      await log.append(entry(senderId, ++last, { conversationId: broadcastId }));
  }

  describe("presence", () => {
    it("says for which broadcasts a user was online", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence, log } = fixture.store;
      const ranges = (from: number, to: number) =>
        log.visibleRanges(bob, fixture.store.broadcastId, from, to);
      await broadcast(ada, 2);
      expect(await ranges(1, 2)).toEqual([]);
      await presence.open(bob, 1_000);
      await broadcast(ada, 3);
      await presence.close(bob, 2_000);
      await broadcast(ada, 2);
      expect(await ranges(1, 7)).toEqual([{ from: 3, to: 5 }]);
      await presence.open(bob, 3_000);
      await broadcast(ada, 1);
      expect(await ranges(1, 8)).toEqual([
        { from: 3, to: 5 },
        { from: 8, to: 8 },
      ]);
      expect(await ranges(4, 7)).toEqual([{ from: 4, to: 5 }]);
      expect(await ranges(6, 7)).toEqual([]);
      await fixture.under.reopen();
      expect(await fixture.store.log.visibleRanges(bob, fixture.store.broadcastId, 5, 100)).toEqual([
        { from: 5, to: 5 },
        { from: 8, to: 100 },
      ]);
    });

    it("lets authors see their own broadcasts, online or not, without calling them online", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence, log } = fixture.store;
      await broadcast(ada, 1);
      await broadcast(bob, 1);
      await broadcast(ada, 2);
      await presence.open(ada, 1_000);
      await broadcast(ada, 1);
      await presence.close(ada, 2_000);
      expect(await log.visibleRanges(ada, fixture.store.broadcastId, 1, 5)).toEqual([
        { from: 1, to: 1 },
        { from: 3, to: 5 },
      ]);
      expect(await log.visibleRanges(bob, fixture.store.broadcastId, 1, 5)).toEqual([{ from: 2, to: 2 }]);
      expect(await presence.list(0, 9_000, ada, "", 10)).toEqual([]);
    });

    it("joins ranges that touch, and knows an interval without broadcasts from one with", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence, log } = fixture.store;
      for (const time of [1_000, 2_000, 3_000]) {
        await presence.open(bob, time);
        if (time !== 2_000) await broadcast(ada, 2);
        await presence.close(bob, time + 500);
      }
      await broadcast(ada, 1);
      await presence.open(bob, 9_000);
      await presence.close(bob, 9_500);
      expect(await log.visibleRanges(bob, fixture.store.broadcastId, 1, 9)).toEqual([{ from: 1, to: 4 }]);
    });

    it("takes broadcasts and openings in the order of the calls", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence, log } = fixture.store;
      await Promise.all([
        broadcast(ada, 1),
        presence.open(bob, 1_000),
        broadcast(ada, 1),
        presence.close(bob, 2_000),
        broadcast(ada, 1),
      ]);
      expect(await log.visibleRanges(bob, fixture.store.broadcastId, 1, 3)).toEqual([{ from: 2, to: 2 }]);
    });

    it("keeps the interval that is open, closes nothing where none is, and tells them after a crash", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence } = fixture.store;
      expect(await presence.openIntervals()).toEqual({ heartbeat: 0, userIds: [] });
      await presence.open(bob, 1_000);
      await broadcast(ada, 1);
      await presence.open(bob, 2_000);
      await presence.close(ada, 2_000);
      expect(await fixture.store.log.visibleRanges(bob, fixture.store.broadcastId, 1, 1)).toEqual([
        { from: 1, to: 1 },
      ]);
      await presence.heartbeat(2_500);
      const reopened = (await fixture.under.reopen()).presence;
      expect(await reopened.openIntervals()).toEqual({ heartbeat: 2_500, userIds: [bob] });
      await reopened.close(bob, 2_500);
      expect(await reopened.openIntervals()).toEqual({ heartbeat: 2_500, userIds: [] });
      expect(await reopened.list(2_500, 9_000, ada, "", 10)).toEqual([
        { user: { userId: bob, username: "bob" }, online: false, lastOnlineTime: 2_500 },
      ]);
    });

    it("lists who is online or was since, by name in code point order, without the asker and removed users", async () => {
      // "Z" < "a" < "é" < U+FFEE < the emoji, which UTF-16 would put before U+FFEE.
      const names = ["a", "Z", "\u{1f600}", "\u{ffee}", "é", "gone", "early", "asker"] as const;
      const ids = await fixture.users(...names);
      const { presence, accounts } = fixture.store;
      for (const userId of ids) await presence.open(userId, 1_000);
      await presence.close(ids[0], 5_000);
      await presence.close(ids[6], 2_000);
      await presence.close(ids[1], 2_000);
      await presence.open(ids[1], 4_000);
      await accounts.removeUser("gone");
      const list = (since: number, after = "", limit = 10) =>
        presence.list(since, 9_000, ids[7], after, limit);
      const sinceThen = await list(5_000);
      expect(sinceThen.map((row) => row.user.username)).toEqual(["Z", "a", "é", "\u{ffee}", "\u{1f600}"]);
      expect(sinceThen.slice(0, 2)).toEqual([
        { user: { userId: ids[1], username: "Z" }, online: true, lastOnlineTime: 9_000 },
        { user: { userId: ids[0], username: "a" }, online: false, lastOnlineTime: 5_000 },
      ]);
      expect((await list(5_001)).map((row) => row.user.username)).toEqual([
        "Z",
        "é",
        "\u{ffee}",
        "\u{1f600}",
      ]);
      expect((await list(2_000)).map((row) => row.user.username)).toContain("early");
      expect((await list(5_000, "a", 2)).map((row) => row.user.username)).toEqual(["é", "\u{ffee}"]);
    });
  });
}
