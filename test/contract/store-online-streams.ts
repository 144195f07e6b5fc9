// The store's promises about the streams by which users are online: their caps, and the streams of nodes whose lease is
// over.
import { describe, expect, it } from "vitest";
import type { MostOnline, OnlineStream, OpenResult } from "../../server/store/store.ts";
import type { Fixture } from "./store-fixture.ts";

const many: MostOnline = { streams: 100, sessions: 100 };
const graceMs = 10_000;

export function onlineStreamPromises(fixture: Fixture): void {
  let lastStream = 0;

  /** A node with a lease until 100,000, and short ways to use it. */
  async function node(name: string) {
    const take = () => fixture.store.nodes.take(fixture.name(name), 1_000, 100_000);
    let epoch = await take();
    return {
      get epoch() {
        return epoch;
      },
      async takeAgain(): Promise<void> {
        epoch = await take();
      },
      stream: (userId: number, sessionId: number, processId = `p${++lastStream}`): OnlineStream => {
        return { epoch, streamId: ++lastStream, userId, sessionId, processId };
      },
    };
  }

  const open = (stream: OnlineStream, most = many, time = 2_000): Promise<OpenResult> =>
    fixture.store.presence.open(stream, time, most);
  const isOnline = async (userId: number): Promise<boolean | undefined> =>
    (await fixture.store.presence.of(userId, 0, 0))?.online;

  describe("online streams", () => {
    it("keep a user online from the first to the last one, on all nodes", async () => {
      const [ada] = await fixture.users("ada");
      const { presence } = fixture.store;
      const [a, b] = [await node("a"), await node("b")];
      const [first, second] = [a.stream(ada, 1), b.stream(ada, 1)];
      expect(await open(first)).toMatchObject({ status: "online", came: true });
      expect(await open(second)).toMatchObject({ status: "online", came: false });
      expect(await presence.close(first, 3_000)).toBe(false);
      expect(await presence.close(first, 3_000)).toBe(false);
      expect(await isOnline(ada)).toBe(true);
      expect(await presence.close(second, 4_000)).toBe(true);
      expect(await presence.close(second, 5_000)).toBe(true);
      expect(await presence.of(ada, 9_000, 0)).toMatchObject({ online: false, lastOnlineTime: 4_000 });
    });

    it("are limited for each session, over all nodes; lost ones do not count", async () => {
      const [ada] = await fixture.users("ada");
      const { presence } = fixture.store;
      const [a, b] = [await node("a"), await node("b")];
      const most = { streams: 2, sessions: 9 };
      const first = a.stream(ada, 1);
      await open(first, most);
      await open(b.stream(ada, 1), most);
      expect(await open(a.stream(ada, 1), most)).toEqual({ status: "too-many-streams" });
      expect(await open(b.stream(ada, 1), most)).toEqual({ status: "too-many-streams" });
      expect(await open(b.stream(ada, 2), most)).toMatchObject({ status: "online" });
      await presence.lose(first);
      expect(await open(b.stream(ada, 1), most)).toMatchObject({ status: "online" });
    });

    it("are limited to some sessions of a user, over all nodes; those of lost ones count", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence } = fixture.store;
      const [a, b] = [await node("a"), await node("b")];
      const most = { streams: 9, sessions: 1 };
      const first = a.stream(ada, 1);
      await open(first, most);
      await presence.lose(first);
      expect(await presence.onlineSessions(b.epoch, ada, 2_000)).toBe(1);
      expect(await open(b.stream(ada, 2), most)).toEqual({ status: "too-many-sessions" });
      expect(await open(b.stream(ada, 1), most)).toMatchObject({ status: "online" });
      expect(await open(b.stream(bob, 3), most)).toMatchObject({ status: "online" });
      expect(await presence.onlineSessions(b.epoch, ada, 2_000)).toBe(1);
      await open(b.stream(ada, 2));
      expect(await presence.onlineSessions(b.epoch, ada, 2_000)).toBe(2);
      // Those of another node whose lease is over do not count.
      const c = await node("c");
      expect(await presence.onlineSessions(b.epoch, ada, 100_000)).toBe(2);
      expect(await presence.onlineSessions(c.epoch, ada, 100_000)).toBe(0);
      expect(await open(c.stream(ada, 3), most, 100_000)).toMatchObject({ status: "online" });
    });

    it("show which sessions are connected to other nodes whose lease is not over", async () => {
      const [ada] = await fixture.users("ada");
      const { presence } = fixture.store;
      const [a, b] = [await node("a"), await node("b")];
      const lost = b.stream(ada, 7_003);
      for (const stream of [a.stream(ada, 7_001), b.stream(ada, 7_002), b.stream(ada, 7_002), lost])
        await open(stream);
      await presence.lose(lost);
      const elsewhere = (epoch: number, time = 2_000) =>
        presence.connectedElsewhere(epoch, [7_001, 7_002, 7_003, 7_004], time);
      expect(await elsewhere(a.epoch)).toEqual([7_002]);
      expect(await elsewhere(b.epoch)).toEqual([7_001]);
      expect(await elsewhere(b.epoch, 100_000)).toEqual([]);
    });

    it("that were lost are replaced when their program comes back, on any node", async () => {
      const [ada] = await fixture.users("ada");
      const { presence } = fixture.store;
      const [a, b] = [await node("a"), await node("b")];
      const [first, other] = [a.stream(ada, 1, "one"), a.stream(ada, 1, "two")];
      for (const stream of [first, other]) {
        await open(stream);
        await presence.lose(stream);
      }
      const back = b.stream(ada, 1, "one");
      expect(await open(back)).toMatchObject({ status: "online", came: false });
      expect(await presence.close(other, 3_000)).toBe(false);
      // The lost one is gone already.
      expect(await presence.close(back, 3_000)).toBe(true);
    });

    it("of a program that leaves end on all nodes, if they were lost or their node's lease is over", async () => {
      const [ada] = await fixture.users("ada");
      const { presence } = fixture.store;
      const [a, b] = [await node("a"), await node("b")];
      const [lost, other, running] = [
        a.stream(ada, 1, "one"),
        a.stream(ada, 1, "two"),
        b.stream(ada, 1, "one"),
      ];
      for (const stream of [lost, other, running]) await open(stream);
      await presence.lose(lost);
      await presence.close(other, 3_000);
      expect(await presence.leave(ada, 2, "one", 4_000)).toBe(false);
      expect(await presence.leave(ada, 1, "two", 4_000)).toBe(false);
      expect(await presence.leave(ada, 1, "one", 4_000)).toBe(false);
      await presence.lose(running);
      expect(await presence.leave(ada, 1, "one", 4_000)).toBe(true);
      expect(await presence.of(ada, 0, 0)).toMatchObject({ online: false, lastOnlineTime: 4_000 });
      await open(b.stream(ada, 1, "one"));
      expect(await presence.leave(ada, 1, "one", 99_999)).toBe(false);
      expect(await presence.leave(ada, 1, "one", 100_000)).toBe(true);
    });

    it("need a lease", async () => {
      const [ada] = await fixture.users("ada");
      const a = await node("a");
      const stream = a.stream(ada, 1);
      await a.takeAgain();
      expect(await open(stream)).toEqual({ status: "no-lease" });
      expect(await isOnline(ada)).toBeUndefined();
      expect(
        await fixture.store.presence.move([{ ...stream, movesFrom: 0, isLost: false }], 3_000),
      ).toBeUndefined();
      expect(await isOnline(ada)).toBeUndefined();
    });

    it("can be moved to the node's new lease, and then end there", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { presence } = fixture.store;
      const a = await node("a");
      const [kept, unknown] = [a.stream(ada, 1), a.stream(bob, 2)];
      await open(kept);
      const movesFrom = a.epoch;
      await a.takeAgain();
      const moved = [kept, unknown].map((stream) => ({
        ...stream,
        epoch: a.epoch,
        movesFrom,
        isLost: stream === unknown,
      }));
      expect(await presence.move(moved, 3_000)).toBe(true);
      expect(await isOnline(bob)).toBe(true);
      expect(await presence.move(moved, 3_000)).toBe(false);
      for (const stream of moved) expect(await presence.close(stream, 4_000)).toBe(true);
    });

    it("that come and go are changes for everyone, and blocks are changes for the blocked user", async () => {
      const [ada, bob, cyd] = await fixture.users("ada", "bob", "cyd");
      const { presence, blocks } = fixture.store;
      const a = await node("a");
      const user = (userId: number, name: string) => ({ userId, username: fixture.name(name) });
      let last = await presence.lastChange();
      const changes = async (limit = 10) => {
        const found = await presence.changes(last, limit);
        const numbers = found.map(({ number }) => number);
        expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
        last = numbers.at(-1) ?? last;
        return found.map(({ number: _, ...change }) => change);
      };
      const [first, second] = [a.stream(ada, 1), a.stream(ada, 1)];
      await open(first);
      await open(second);
      await open(a.stream(bob, 2));
      expect(await changes(1)).toEqual([
        { user: user(ada, "ada"), readerId: undefined, online: true, blocked: [] },
      ]);
      expect(await changes()).toEqual([
        { user: user(bob, "bob"), readerId: undefined, online: true, blocked: [] },
      ]);
      await blocks.block(ada, cyd, 3_000);
      await presence.close(first, 4_000);
      await presence.close(second, 4_000);
      await blocks.block(bob, ada, 5_000);
      await blocks.unblock(bob, ada);
      expect(await changes()).toEqual([
        { user: user(ada, "ada"), readerId: cyd, online: false, blocked: [cyd] },
        { user: user(ada, "ada"), readerId: undefined, online: false, blocked: [cyd] },
        // Of the two changes of this user for this reader, only the newer one is kept.
        { user: user(bob, "bob"), readerId: ada, online: true, blocked: [] },
      ]);
      expect(await presence.lastChange()).toBe(last);
    });

    describe("of a node whose lease is over", () => {
      fixture.ownStore();

      it("end after a grace period, when the lease was good for the last time", async () => {
        const [ada, bob] = await fixture.users("ada", "bob");
        const { presence, nodes } = fixture.store;
        const [a, b] = [await node("a"), await node("b")];
        await open(a.stream(ada, 1));
        await open(a.stream(bob, 2));
        await open(b.stream(bob, 2));
        await nodes.renew(a.epoch, 5_000, 20_000);
        expect(await presence.nextSweep(b.epoch, graceMs)).toBe(20_000);
        expect(await presence.sweep(b.epoch, 19_999, graceMs, 10)).toBe(false);
        expect(await presence.sweep(a.epoch, 20_000, graceMs, 10)).toBe(false);
        expect(await presence.sweep(b.epoch, 20_000, graceMs, 1)).toBe(true);
        expect(await presence.of(ada, 0, 0)).toMatchObject({ online: false, lastOnlineTime: 5_000 });
        expect(await nodes.renew(a.epoch, 21_000, 30_000)).toBe(true);
        expect(await presence.sweep(b.epoch, 40_000, graceMs, 10)).toBe(false);
        expect(await isOnline(bob)).toBe(true);
        // The lease has gone with its last stream.
        expect(await nodes.renew(a.epoch, 41_000, 50_000)).toBe(false);
        expect(await presence.nextSweep(b.epoch, graceMs)).toBeUndefined();
      });

      it("end earlier if the node has ended its lease, or has taken another one", async () => {
        const [ada, bob] = await fixture.users("ada", "bob");
        const { presence, nodes } = fixture.store;
        const [a, b, c] = [await node("a"), await node("b"), await node("c")];
        await open(a.stream(ada, 1));
        await open(b.stream(bob, 2));
        await nodes.renew(a.epoch, 3_000, 18_000);
        await a.takeAgain();
        await nodes.end(b.epoch, 4_000);
        expect(await presence.nextSweep(c.epoch, graceMs)).toBe(1_000 + graceMs);
        expect(await presence.sweep(c.epoch, 1_000 + graceMs, graceMs, 10)).toBe(true);
        expect(await presence.nextSweep(c.epoch, graceMs)).toBe(4_000 + graceMs);
        expect(await presence.sweep(c.epoch, 4_000 + graceMs, graceMs, 10)).toBe(true);
      });
    });
  });
}
