// The store's promises about presence: intervals of time and of broadcast seq.
import { describe, expect, it } from "vitest";
import type { SeqRange } from "../../server/store/store.ts";
import { entry, type Fixture } from "./store-fixture.ts";

export function presencePromises(fixture: Fixture): void {
  let last = 0;

  /** Appends this many broadcasts by the user. */
  async function broadcast(senderId: number, count: number): Promise<void> {
    const { log, broadcastId } = fixture.store;
    for (let i = 0; i < count; i++)
      await log.append(entry(senderId, ++last, { conversationId: broadcastId }));
  }

  /** The visible ranges of the broadcasts that are stored from now on, the first of which counts as 1. */
  async function rangesFromHere(): Promise<
    (userId: number, from: number, to: number) => Promise<SeqRange[]>
  > {
    const { broadcastId } = fixture.store;
    const [head = 0] = await fixture.store.log.heads(0, [broadcastId]);
    return async (userId, from, to) => {
      const ranges = await fixture.store.log.visibleRanges(userId, broadcastId, head + from, head + to);
      return ranges.map((range) => ({ from: range.from - head, to: range.to - head }));
    };
  }

  describe("presence", () => {
    it("of one user is told as the list tells it", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { presence, blocks, accounts } = fixture.store;
      const user = { userId: bob, username: fixture.name("bob") };
      expect(await presence.of(bob, 5_000, ada)).toBeUndefined();
      await fixture.online(bob, 1_000);
      expect(await presence.of(bob, 5_000, ada)).toEqual({
        user,
        isBot: false,
        online: true,
        lastOnlineTime: 5_000,
      });
      expect(await presence.of(bob, 5_000, bob)).toEqual({
        user,
        isBot: false,
        online: true,
        lastOnlineTime: 5_000,
      });
      await fixture.offline(bob, 2_000);
      expect(await presence.of(bob, 5_000, ada)).toEqual({
        user,
        isBot: false,
        online: false,
        lastOnlineTime: 2_000,
      });
      await blocks.block(bob, ada, 3_000);
      expect(await presence.of(bob, 5_000, ada)).toBeUndefined();
      expect(await presence.of(bob, 5_000, cyd)).toBeDefined();
      // A broadcast while offline is no presence.
      await broadcast(cyd, 1);
      expect(await presence.of(cyd, 5_000, bob)).toBeUndefined();
      await accounts.removeUser(fixture.name("bob"));
      expect(await presence.of(bob, 5_000, cyd)).toBeUndefined();
    });

    it("records at which broadcasts a user was online", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const ranges = await rangesFromHere();
      await broadcast(ada, 2);
      expect(await ranges(bob, 1, 2)).toEqual([]);
      await fixture.online(bob, 1_000);
      await broadcast(ada, 3);
      await fixture.offline(bob, 2_000);
      await broadcast(ada, 2);
      expect(await ranges(bob, 1, 7)).toEqual([{ from: 3, to: 5 }]);
      await fixture.online(bob, 3_000);
      await broadcast(ada, 1);
      expect(await ranges(bob, 1, 8)).toEqual([
        { from: 3, to: 5 },
        { from: 8, to: 8 },
      ]);
      expect(await ranges(bob, 4, 7)).toEqual([{ from: 4, to: 5 }]);
      expect(await ranges(bob, 6, 7)).toEqual([]);
      await fixture.under.reopen();
      expect(await ranges(bob, 5, 100)).toEqual([
        { from: 5, to: 5 },
        { from: 8, to: 100 },
      ]);
    });

    it("ends an interval at an earlier broadcast if it is closed late", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const ranges = await rangesFromHere();
      await fixture.online(bob, 1_000);
      await broadcast(ada, 2);
      const [head = 0] = await fixture.store.log.heads(0, [fixture.store.broadcastId]);
      await broadcast(ada, 2);
      await fixture.offline(bob, 2_000, head);
      expect(await ranges(bob, 1, 4)).toEqual([{ from: 1, to: 2 }]);
    });

    it("shows authors their own broadcasts, online or not, without reporting them as online", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const ranges = await rangesFromHere();
      await broadcast(ada, 1);
      await broadcast(bob, 1);
      await broadcast(ada, 2);
      await fixture.online(ada, 1_000);
      await broadcast(ada, 1);
      await fixture.offline(ada, 2_000);
      expect(await ranges(ada, 1, 5)).toEqual([
        { from: 1, to: 1 },
        { from: 3, to: 5 },
      ]);
      expect(await ranges(bob, 1, 5)).toEqual([{ from: 2, to: 2 }]);
      expect(await fixture.store.presence.list(0, 9_000, ada, fixture.name(""), 10)).toEqual([]);
    });

    it("merges ranges that touch, and takes an interval without broadcasts as empty", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const ranges = await rangesFromHere();
      for (const time of [1_000, 2_000, 3_000]) {
        await fixture.online(bob, time);
        if (time !== 2_000) await broadcast(ada, 2);
        await fixture.offline(bob, time + 500);
      }
      await broadcast(ada, 1);
      await fixture.online(bob, 9_000);
      await fixture.offline(bob, 9_500);
      expect(await ranges(bob, 1, 9)).toEqual([{ from: 1, to: 4 }]);
    });

    it("processes broadcasts and openings in the order of the calls", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence } = fixture.store;
      const stream = await fixture.stream(bob);
      const ranges = await rangesFromHere();
      await Promise.all([
        broadcast(ada, 1),
        presence.open(stream, 1_000, { streams: 1, sessions: 1 }),
        broadcast(ada, 1),
        presence.close(stream, 2_000),
        broadcast(ada, 1),
      ]);
      expect(await ranges(bob, 1, 3)).toEqual([{ from: 2, to: 2 }]);
    });

    it("lists users who are or were online, by name in code point order, without the asker and removed users", async () => {
      // "Z" < "a" < "é" < U+FFEE < the emoji. In UTF-16 order the emoji is below U+FFEE.
      const names = ["a", "Z", "\u{1f600}", "\u{ffee}", "é", "removed", "early", "asker"] as const;
      const ids = await fixture.users(...names);
      const { presence, accounts } = fixture.store;
      for (const userId of ids) await fixture.online(userId, 1_000);
      await fixture.offline(ids[0], 5_000);
      await fixture.offline(ids[6], 2_000);
      await fixture.offline(ids[1], 2_000);
      await fixture.online(ids[1], 4_000);
      await accounts.removeUser(fixture.name("removed"));
      const list = (since: number, after = "", limit = 10) =>
        presence.list(since, 9_000, ids[7], fixture.name(after), limit);
      const named = (...names: string[]) => names.map(fixture.name);
      const sinceThen = await list(5_000);
      expect(sinceThen.map((row) => row.user.username)).toEqual(
        named("Z", "a", "é", "\u{ffee}", "\u{1f600}"),
      );
      expect(sinceThen.slice(0, 2)).toEqual([
        {
          user: { userId: ids[1], username: fixture.name("Z") },
          isBot: false,
          online: true,
          lastOnlineTime: 9_000,
        },
        {
          user: { userId: ids[0], username: fixture.name("a") },
          isBot: false,
          online: false,
          lastOnlineTime: 5_000,
        },
      ]);
      expect((await list(5_001)).map((row) => row.user.username)).toEqual(
        named("Z", "é", "\u{ffee}", "\u{1f600}"),
      );
      expect((await list(2_000)).map((row) => row.user.username)).toContain(fixture.name("early"));
      expect((await list(5_000, "a", 2)).map((row) => row.user.username)).toEqual(named("é", "\u{ffee}"));
    });

    it("keeps an open interval over a restart, and closes only an open one", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const ranges = await rangesFromHere();
      await fixture.online(bob, 1_000);
      await broadcast(ada, 1);
      await fixture.online(bob, 2_000);
      await fixture.offline(ada, 2_000);
      expect(await ranges(bob, 1, 1)).toEqual([{ from: 1, to: 1 }]);
      await fixture.under.reopen();
      await broadcast(ada, 1);
      await fixture.offline(bob, 2_500);
      await broadcast(ada, 1);
      expect(await ranges(bob, 1, 3)).toEqual([{ from: 1, to: 2 }]);
      expect(await fixture.store.presence.of(bob, 9_000, ada)).toMatchObject({
        online: false,
        lastOnlineTime: 2_500,
      });
    });
  });
}
