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
    outcome: "wrong-password",
    time: 1_000,
    ...more,
  };
}

export function logInPromises(fixture: Fixture): void {
  describe("failed log-ins", () => {
    it("are stored by key, also after a restart, until they are cleared", async () => {
      const { logIns } = fixture.store;
      expect(await logIns.failures("name:ada")).toBeUndefined();
      await logIns.saveFailures("name:ada", { count: 2, lockedUntil: 0 }, 1);
      await logIns.saveFailures("name:ada", { count: 3, lockedUntil: 9_000 }, 2);
      await logIns.saveFailures("name:Ada", { count: 1, lockedUntil: 0 }, 2);
      const later = (await fixture.under.reopen()).logIns;
      expect(await later.failures("name:ada")).toEqual({ count: 3, lockedUntil: 9_000 });
      await later.clearFailures("name:ada");
      expect(await later.failures("name:ada")).toBeUndefined();
      expect(await later.failures("name:Ada")).toEqual({ count: 1, lockedUntil: 0 });
    });

    describe("in a new store", () => {
      fixture.ownStore();

      it("are at most 50,000, and a key with a lock is not dropped for others", async () => {
        const { logIns } = fixture.store;
        await logIns.saveFailures("name:locked", { count: 3, lockedUntil: 1_000_000 }, 1);
        await logIns.saveFailures("name:oldest", { count: 2, lockedUntil: 0 }, 2);
        const failure = { count: 1, lockedUntil: 0 };
        fixture.under.fillFailures(49_997, failure, 3);
        await logIns.saveFailures("name:50000", failure, 4);
        expect(await logIns.failures("name:oldest")).toBeDefined();
        await logIns.saveFailures("name:50001", failure, 4);
        expect(await logIns.failures("name:locked")).toBeDefined();
        expect(await logIns.failures("name:oldest")).toBeUndefined();
        expect(await logIns.failures("name:50001")).toBeDefined();
      });
    });
  });

  describe("the record of log-ins", () => {
    it("counts equal consecutive refusals in one row, and nothing else", async () => {
      const [ada] = await fixture.users("ada");
      const { logIns } = fixture.store;
      const refused = logIn({ username: fixture.name("ada"), userId: ada });
      for (const time of [1, 2, 3]) await logIns.record({ ...refused, time });
      await logIns.record({ ...refused, address: "10.0.0.1", time: 4 });
      await logIns.record({ ...refused, outcome: "logged-in", time: 5 });
      await logIns.record({ ...refused, outcome: "logged-in", time: 6 });
      await logIns.record({ ...refused, time: 7 });
      const rows = await logIns.listLogIns(ada, Number.MAX_SAFE_INTEGER, 10);
      expect(rows.map(({ count, firstTime, time }) => [count, firstTime, time])).toEqual([
        [1, 7, 7],
        [1, 6, 6],
        [1, 5, 5],
        [1, 4, 4],
        [3, 1, 3],
      ]);
    });

    it("keeps the newest 1,000 rows of a user, and those of other users", async () => {
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
          { sessionId: first.sessionId, userId: ada },
          { sessionId: second.sessionId, userId: ada },
        ]);
        expect(await live(first.sessionId, 100)).toHaveLength(1);
        expect(await live(0, 3_000)).toEqual([{ sessionId: second.sessionId, userId: ada }]);
      });
    });
  });
}
