// The store's promises about failed log-ins, the record of log-ins, administrators and devices.
import { describe, expect, it } from "vitest";
import type { NewLogIn } from "../../server/store/store.ts";
import { type Fixture, hashOf } from "./store-fixture.ts";

/** A log-in for the record. */
function logIn(more: Partial<NewLogIn> = {}): NewLogIn {
  return {
    username: "ada",
    userId: undefined,
    deviceId: undefined,
    client: { name: "test", version: "1", deviceName: "laptop" },
    address: "127.0.0.1",
    network: "127.0.0.1",
    outcome: "wrong-password",
    time: 1_000,
    ...more,
  };
}

/** Three wrong passwords lock for 1 s, and then for 2 and 4 s. */
const terms = { failures: 3, firstMs: 1_000, longestMs: 4_000, rememberedMs: 60_000 };

export function logInPromises(fixture: Fixture): void {
  describe("failed log-ins", () => {
    it("are stored by key, also after a restart, until a right password clears them", async () => {
      const { logIns } = fixture.store;
      expect(await logIns.failures("name:ada")).toBeUndefined();
      for (const time of [1, 2, 3]) await logIns.settleAttempt("name:ada", false, terms, time);
      await logIns.settleAttempt("name:Ada", false, terms, 2);
      const later = (await fixture.under.reopen()).logIns;
      expect(await later.failures("name:ada")).toEqual({ count: 3, lockedUntil: 1_003, locks: 1 });
      expect(await later.settleAttempt("name:ada", true, terms, 1_003)).toEqual({ status: "right" });
      expect(await later.failures("name:ada")).toBeUndefined();
      expect(await later.failures("name:Ada")).toEqual({ count: 1, lockedUntil: 0, locks: 0 });
    });

    it("of attempts at the same time are counted like those one after the other", async () => {
      const { logIns } = fixture.store;
      const attempts = [false, false, false, false, true, false].map((isRight) =>
        logIns.settleAttempt("name:crowd", isRight, terms, 1),
      );
      const locked = { status: "locked", tried: false, leftMs: 1_000 };
      expect(await Promise.all(attempts)).toEqual([
        { status: "wrong" },
        { status: "wrong" },
        { ...locked, tried: true },
        locked,
        locked,
        locked,
      ]);
    });

    it("lock for twice as long as before, up to a limit, until a lock is long over", async () => {
      const { logIns } = fixture.store;
      const lock = async (time: number): Promise<number | undefined> => {
        for (let wrong = 0; wrong < 2; wrong++) {
          expect(await logIns.settleAttempt("name:longer", false, terms, time)).toEqual({ status: "wrong" });
        }
        const last = await logIns.settleAttempt("name:longer", false, terms, time);
        return last.status === "locked" && last.tried ? last.leftMs : undefined;
      };
      expect(await lock(1)).toBe(1_000);
      expect(await logIns.settleAttempt("name:longer", true, terms, 1_000)).toMatchObject({ leftMs: 1 });
      expect(await lock(1_001)).toBe(2_000);
      expect(await lock(3_001)).toBe(4_000);
      expect(await lock(7_001)).toBe(4_000);
      expect(await lock(11_002 + terms.rememberedMs)).toBe(1_000);
    });

    it("lock no longer than a lock lasts, although the clock was set back", async () => {
      const { logIns } = fixture.store;
      for (let wrong = 0; wrong < 3; wrong++) await logIns.settleAttempt("name:back", false, terms, 50_000);
      expect(await logIns.settleAttempt("name:back", true, terms, 1)).toMatchObject({ leftMs: 1_000 });
    });

    describe("in a new store", () => {
      fixture.ownStore();

      it("are at most 200,000, and a key that was locked is dropped last, by the end of its lock", async () => {
        const { logIns } = fixture.store;
        const wrong = (key: string, time: number) => logIns.settleAttempt(key, false, terms, time);
        for (let count = 0; count < 3; count++) await wrong("name:locked", 1);
        await wrong("name:oldest", 2);
        await wrong("name:cleared", 2);
        await logIns.settleAttempt("name:cleared", true, terms, 2);
        fixture.under.fillFailures(199_996, { count: 1, lockedUntil: 0, locks: 0 }, 3);
        await wrong("name:199999", 4);
        await wrong("name:200000", 4);
        expect(await logIns.failures("name:oldest")).toBeDefined();
        await wrong("name:200000", 5);
        expect(await logIns.failures("name:oldest")).toBeDefined();
        await wrong("name:200001", 6);
        expect(await logIns.failures("name:locked")).toBeDefined();
        expect(await logIns.failures("name:oldest")).toBeUndefined();
        expect(await logIns.failures("name:200001")).toBeDefined();
      });

      it("of which a key is saved although all others are locked", async () => {
        const { logIns } = fixture.store;
        for (let count = 0; count < 3; count++) {
          await logIns.settleAttempt("name:soonest", false, terms, 1);
        }
        fixture.under.fillFailures(199_999, { count: 3, lockedUntil: 20_000, locks: 1 }, 2);
        await logIns.settleAttempt("name:new", false, terms, 3);
        expect(await logIns.failures("name:new")).toBeDefined();
        expect(await logIns.failures("name:soonest")).toBeUndefined();
      });
    });
  });

  describe("the record of log-ins", () => {
    it("counts the same refusals of a name from a network in one row, which becomes the newest", async () => {
      const [ada] = await fixture.users("ada");
      const { logIns } = fixture.store;
      const refused = logIn({ username: fixture.name("ada"), userId: ada });
      const other = { ...refused, address: "10.0.0.1", network: "10.0.0.1" };
      await logIns.record({ ...refused, time: 1 });
      await logIns.record({ ...other, time: 2 });
      await logIns.record({ ...refused, time: 3, client: { name: "changed", version: "", deviceName: "" } });
      await logIns.record({ ...other, time: 4 });
      await logIns.record({ ...refused, time: 5, outcome: "locked" });
      await logIns.record({ ...refused, time: 6 });
      const rows = await logIns.listLogIns(ada, Number.MAX_SAFE_INTEGER, 10);
      expect(
        rows.map(({ outcome, address, count, firstTime, time }) => [
          outcome,
          address,
          count,
          firstTime,
          time,
        ]),
      ).toEqual([
        ["wrong-password", "127.0.0.1", 3, 1, 6],
        ["locked", "127.0.0.1", 1, 5, 5],
        ["wrong-password", "10.0.0.1", 2, 2, 4],
      ]);
    });

    it("begins a new row after a log-in of the user, after a day, and for each log-in", async () => {
      const [ada] = await fixture.users("ada");
      const { logIns } = fixture.store;
      const refused = logIn({ username: fixture.name("ada"), userId: ada });
      const day = 24 * 60 * 60_000;
      await logIns.record({ ...refused, time: 1 });
      await logIns.record({ ...refused, outcome: "logged-in", time: 2 });
      await logIns.record({ ...refused, outcome: "logged-in", time: 3 });
      await logIns.record({ ...refused, time: 4 });
      await logIns.record({ ...refused, time: 3 + day });
      await logIns.record({ ...refused, time: 4 + day });
      const rows = await logIns.listLogIns(ada, Number.MAX_SAFE_INTEGER, 10);
      expect(rows.map(({ count, firstTime, time }) => [count, firstTime, time])).toEqual([
        [1, 4 + day, 4 + day],
        [2, 4, 3 + day],
        [1, 3, 3],
        [1, 2, 2],
        [1, 1, 1],
      ]);
    });

    it("keeps the newest 1,000 log-ins of a user, and those of other users", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { logIns } = fixture.store;
      await logIns.record(logIn({ userId: bob, username: fixture.name("bob"), outcome: "logged-in" }));
      await Promise.all(
        Array.from({ length: 1_005 }, (_, time) =>
          logIns.record(logIn({ username: fixture.name("ada"), userId: ada, outcome: "logged-in", time })),
        ),
      );
      const rows = await logIns.listLogIns(ada, Number.MAX_SAFE_INTEGER, 2_000);
      expect(rows).toHaveLength(1_000);
      expect(rows.at(-1)?.time).toBe(5);
      expect(await logIns.listLogIns(bob, Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1);
    });

    it("keeps a user's log-ins however many refusals there are, and the newest 1,000 refusals", async () => {
      const [ada] = await fixture.users("ada");
      const { logIns } = fixture.store;
      const attempt = logIn({ username: fixture.name("ada"), userId: ada, time: 0 });
      await logIns.record({ ...attempt, outcome: "logged-in" });
      await logIns.record({ ...attempt, outcome: "too-many-sessions" });
      await Promise.all(
        Array.from({ length: 1_005 }, (_, index) =>
          logIns.record({ ...attempt, network: `network ${index}`, time: index }),
        ),
      );
      const rows = await logIns.listLogIns(ada, Number.MAX_SAFE_INTEGER, 2_000);
      expect(rows.slice(-3).map(({ outcome, time }) => [outcome, time])).toEqual([
        ["wrong-password", 5],
        ["too-many-sessions", 0],
        ["logged-in", 0],
      ]);
      expect(rows).toHaveLength(1_002);
    });

    describe("of names without a user", () => {
      fixture.ownStore();

      it("keeps 100 names without a user from each network, and 10,000 in all", async () => {
        const { logIns } = fixture.store;
        const rows = () => logIns.listLogIns("everyone", Number.MAX_SAFE_INTEGER, 20_000);
        await logIns.record(logIn({ username: "first", network: "quiet" }));
        const names = (network: number, count: number) =>
          Promise.all(
            Array.from({ length: count }, (_, index) =>
              logIns.record(logIn({ username: `${network} ${index}`, network: `network ${network}` })),
            ),
          );
        await names(0, 105);
        const one = await rows();
        expect(one).toHaveLength(101);
        expect(one.map(({ username }) => username).slice(-2)).toEqual(["0 5", "first"]);
        for (let network = 1; network < 100; network++) await names(network, 100);
        const all = await rows();
        expect(all).toHaveLength(10_000);
        expect(all.at(-1)?.username).toBe("0 5");
      });
    });

    describe("in a new store", () => {
      fixture.ownStore();

      it("lists the log-ins of one user and of all, newest first, in pages", async () => {
        const [ada, bob] = await fixture.users("ada", "bob");
        const { logIns } = fixture.store;
        await logIns.record(
          logIn({ username: fixture.name("ada"), userId: ada, outcome: "logged-in", deviceId: 4 }),
        );
        await logIns.record(logIn({ userId: bob, username: fixture.name("bob"), outcome: "logged-in" }));
        await logIns.record(logIn({ username: "unknown" }));
        await logIns.record(logIn({ username: fixture.name("ada"), userId: ada, time: 5_000 }));
        const own = await logIns.listLogIns(ada, Number.MAX_SAFE_INTEGER, 10);
        expect(own).toMatchObject([
          {
            username: fixture.name("ada"),
            outcome: "wrong-password",
            time: 5_000,
            firstTime: 5_000,
            count: 1,
          },
          {
            username: fixture.name("ada"),
            outcome: "logged-in",
            deviceId: 4,
            client: { deviceName: "laptop" },
          },
        ]);
        const all = await logIns.listLogIns("everyone", Number.MAX_SAFE_INTEGER, 3);
        expect(all.map(({ username }) => username)).toEqual([
          fixture.name("ada"),
          "unknown",
          fixture.name("bob"),
        ]);
        const rest = await logIns.listLogIns("everyone", all.at(-1)?.logInId ?? 0, 3);
        expect(rest.map(({ username }) => username)).toEqual([fixture.name("ada")]);
      });
    });
  });

  describe("administrators, devices, sessions", () => {
    it("are appointed and dismissed by name", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      expect(await accounts.setAdministrator(fixture.name("bob"), true)).toBe(true);
      expect(await accounts.setAdministrator("unknown", true)).toBe(false);
      expect([await accounts.isAdministrator(ada), await accounts.isAdministrator(bob)]).toEqual([
        false,
        true,
      ]);
      expect(await accounts.administrators()).toEqual([fixture.name("bob")]);
      await accounts.setAdministrator(fixture.name("bob"), false);
      expect(await accounts.isAdministrator(bob)).toBe(false);
    });

    it("are identified by owner and secret", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const { deviceId } = await fixture.session(ada);
      expect(await accounts.hasDevice(ada, deviceId, hashOf("secret"))).toBe(true);
      expect(await accounts.hasDevice(ada, deviceId, hashOf("other"))).toBe(false);
      expect(await accounts.hasDevice(bob, deviceId, hashOf("secret"))).toBe(false);
      expect(await accounts.hasDevice(0, deviceId, hashOf("secret"))).toBe(false);
    });

    describe("in a new store", () => {
      fixture.ownStore();

      it("are listed until they expire, in pages", async () => {
        const [ada] = await fixture.users("ada");
        const { accounts } = fixture.store;
        const first = await fixture.session(ada, 2_000);
        const second = await fixture.session(ada, 5_000);
        const live = (after: number, now: number) => accounts.liveSessions(after, 10, now);
        expect(await live(0, 100)).toEqual([
          { sessionId: first.sessionId, userId: ada, activeTime: 1_000 },
          { sessionId: second.sessionId, userId: ada, activeTime: 1_000 },
        ]);
        expect(await live(first.sessionId, 100)).toHaveLength(1);
        expect(await live(0, 3_000)).toMatchObject([{ sessionId: second.sessionId }]);
      });
    });
  });
}
