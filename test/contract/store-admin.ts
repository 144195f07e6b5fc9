// The store's promises about administration: disabled users, bots, password resets, invites, and the record of changes.
import { describe, expect, it } from "vitest";
import type { Administering } from "../../server/store/store.ts";
import { type Fixture, hashOf } from "./store-fixture.ts";

/** The operator at this time. */
const at = (time: number): Administering => ({ userId: undefined, address: "", time });

/** One wrong password locks for 8 s. */
const lockAtOnce = { failures: 1, firstMs: 8_000, longestMs: 8_000, rememberedMs: 0 };

export function adminPromises(fixture: Fixture): void {
  describe("users", () => {
    it("are listed by name in code point order, with their state", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts, admin } = fixture.store;
      await accounts.setAdministrator(fixture.name("ada"), true, at(2_000));
      await admin.setDisabled(fixture.name("bob"), true, at(3_000));
      const rows = await admin.listAccounts(fixture.name(""), 10);
      expect(rows).toEqual([
        {
          userId: ada,
          username: fixture.name("ada"),
          createTime: 1_000,
          isAdministrator: true,
          isBot: false,
          disabledTime: undefined,
        },
        {
          userId: bob,
          username: fixture.name("bob"),
          createTime: 1_000,
          isAdministrator: false,
          isBot: false,
          disabledTime: 3_000,
        },
      ]);
      expect(await admin.account(fixture.name("bob"))).toEqual(rows[1]);
      expect(await admin.listAccounts(fixture.name("ada"), 1)).toEqual(rows.slice(1));
      await accounts.removeUser(fixture.name("bob"), at(4_000));
      expect(await admin.account(fixture.name("bob"))).toBeUndefined();
      expect(await admin.listAccounts(fixture.name("ada"), 1)).toEqual([]);
    });

    it("have no session and get none while they are disabled", async () => {
      const [ada] = await fixture.users("ada");
      const { admin } = fixture.store;
      const session = await fixture.session(ada);
      await fixture.session(ada);
      expect(await admin.setDisabled(fixture.name("ada"), true, at(2_000))).toBe(2);
      expect(await admin.setDisabled(fixture.name("ada"), true, at(3_000))).toBe(0);
      expect((await admin.account(fixture.name("ada")))?.disabledTime).toBe(2_000);
      expect(await fixture.store.accounts.sessionByToken(session.token, 2_000)).toBeUndefined();
      await expect(fixture.session(ada)).rejects.toThrow("disabled");
      expect(await admin.setDisabled(fixture.name("ada"), false, at(4_000))).toBe(0);
      await fixture.session(ada);
      expect(await admin.endSessions(fixture.name("ada"), at(5_000))).toBe(1);
      expect(await admin.endSessions("unknown", at(5_000))).toBeUndefined();
      expect(await admin.setDisabled("unknown", true, at(5_000))).toBeUndefined();
    });

    it("are unlocked with all their devices, and no other user is", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { admin, logIns } = fixture.store;
      const keys = [ada, bob].map(async (userId, index) => [
        `name:${fixture.name(["ada", "bob"][index] ?? "")}`,
        `device:${(await fixture.session(userId)).deviceId}`,
      ]);
      const all = (await Promise.all(keys)).flat();
      for (const key of all) await logIns.settleAttempt(key, false, lockAtOnce, 1_000);
      expect(await admin.unlock(fixture.name("ada"), at(2_000))).toBe(true);
      const left = await Promise.all(all.map(async (key) => (await logIns.failures(key)) !== undefined));
      expect(left).toEqual([false, false, true, true]);
      expect(await admin.unlock("unknown", at(2_000))).toBe(false);
    });
  });

  describe("bots", () => {
    it("have one session, which a new one replaces, and which use does not shorten", async () => {
      const { accounts, admin } = fixture.store;
      const session = (text: string) => ({
        tokenHash: hashOf(`${fixture.name("r2")} ${text}`),
        deviceSecretHash: hashOf("random"),
        expireTime: 1_000_000,
      });
      const bot = fixture.newUser("r2", { bot: session("first") });
      expect(await accounts.addUser(bot, at(2_000))).toMatchObject({ status: "added" });
      expect((await admin.listActions(Number.MAX_SAFE_INTEGER, 1))[0]).toMatchObject({ action: "add-bot" });
      const first = await accounts.sessionByToken(session("first").tokenHash, 2_000);
      expect(first).toMatchObject({ user: { username: fixture.name("r2") }, expireTime: 1_000_000 });
      await accounts.touchSession(first?.sessionId ?? 0, 3_000, 4_000);
      expect(await accounts.sessionByToken(session("first").tokenHash, 5_000)).toMatchObject({
        lastUsedTime: 3_000,
        expireTime: 1_000_000,
      });
      const live = await accounts.liveSessions(0, 1_000, 2_000);
      expect(live.map(({ sessionId }) => sessionId)).not.toContain(first?.sessionId);

      expect(await admin.replaceBotSession(fixture.name("r2"), session("second"), at(3_000))).toBe(true);
      expect(await accounts.sessionByToken(session("first").tokenHash, 3_000)).toBeUndefined();
      expect(await accounts.sessionByToken(session("second").tokenHash, 3_000)).toBeDefined();
      expect((await admin.account(fixture.name("r2")))?.isBot).toBe(true);

      await admin.setDisabled(fixture.name("r2"), true, at(3_000));
      await admin.replaceBotSession(fixture.name("r2"), session("while disabled"), at(3_000));
      expect(await accounts.sessionByToken(session("while disabled").tokenHash, 3_000)).toBeUndefined();
      await admin.setDisabled(fixture.name("r2"), false, at(3_000));
      expect(await accounts.sessionByToken(session("while disabled").tokenHash, 3_000)).toBeDefined();

      await fixture.users("ada");
      for (const name of ["unknown", fixture.name("ada")])
        expect(await admin.replaceBotSession(name, session("third"), at(3_000))).toBe(false);
    });
  });

  describe("password resets", () => {
    it("are used once, end all sessions and locks, and make all devices unknown", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts, admin, logIns } = fixture.store;
      const name = fixture.name("ada");
      const { deviceId } = await fixture.session(ada);
      const key = `name:${name}`;
      await logIns.settleAttempt(key, false, lockAtOnce, 1_000);
      const [old, fresh] = [hashOf(`${name} old`), hashOf(`${name} fresh`)];
      expect(await admin.addReset(name, old, 9_000, at(2_000))).toBe(true);
      expect(await admin.addReset(name, fresh, 9_000, at(2_000))).toBe(true);
      expect(await admin.reset(old, 2_000)).toBeUndefined();
      expect(await admin.reset(fresh, 9_000)).toBeUndefined();
      expect(await admin.reset(fresh, 8_999)).toEqual({ userId: ada, username: name, isDisabled: false });

      const change = { resetHash: fresh, passwordHash: "new", time: 3_000 };
      expect(await admin.useReset({ ...change, time: 9_000 })).toBeUndefined();
      expect(await admin.useReset(change)).toBe(1);
      expect(await admin.useReset(change)).toBeUndefined();
      expect((await accounts.userByName(name))?.passwordHash).toBe("new");
      expect(await accounts.hasDevice(ada, deviceId, hashOf("secret"))).toBe(false);
      expect(await logIns.failures(key)).toBeUndefined();
      expect(await admin.addReset("unknown", fresh, 9_000, at(2_000))).toBe(false);
    });

    it("cannot be used by a disabled user, and end with the user", async () => {
      await fixture.users("ada", "bob");
      const { accounts, admin } = fixture.store;
      const [a, b] = [hashOf(fixture.name("a")), hashOf(fixture.name("b"))];
      await admin.addReset(fixture.name("ada"), a, 9_000, at(2_000));
      await admin.addReset(fixture.name("bob"), b, 9_000, at(2_000));
      await admin.setDisabled(fixture.name("ada"), true, at(2_000));
      await accounts.removeUser(fixture.name("bob"), at(2_000));
      expect(await admin.useReset({ resetHash: a, passwordHash: "new", time: 3_000 })).toBeUndefined();
      expect((await admin.reset(a, 3_000))?.isDisabled).toBe(true);
      expect(await admin.reset(b, 3_000)).toBeUndefined();
    });
  });

  describe("known devices", () => {
    it("are those of the session that changes the password, and of later log-ins", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts } = fixture.store;
      const mine = await fixture.session(ada);
      const other = await fixture.session(ada);
      const from = fixture.hash("ada");
      const isKnown = (deviceId: number) => accounts.hasDevice(ada, deviceId, hashOf("secret"));
      await accounts.setPassword(ada, { from, to: "new", keepSessionId: mine.sessionId });
      expect([await isKnown(mine.deviceId), await isKnown(other.deviceId)]).toEqual([true, false]);
      const again = await accounts.startSession({
        userId: ada,
        passwordHash: "new",
        deviceId: other.deviceId,
        deviceSecretHash: hashOf("secret"),
        tokenHash: hashOf(`${fixture.name("ada")} again`),
        client: { name: "", version: "", deviceName: "" },
        address: "",
        time: 2_000,
        expireTime: 9_000,
      });
      expect(again).toMatchObject({ status: "started", deviceId: other.deviceId });
      expect(await isKnown(other.deviceId)).toBe(true);
    });
  });

  describe("invites", () => {
    it("are listed by id until they expire or are revoked", async () => {
      const { accounts, admin } = fixture.store;
      const hashes = [1, 2, 3].map((number) => hashOf(`${number}${fixture.name("invite")}`));
      const ids: string[] = [];
      for (const hash of hashes) ids.push(await accounts.addInvite(hash, 2, 50_000, 40_000, at(40_000)));
      ids.sort();
      const list = async (after: string, limit: number, now = 40_000) =>
        (await admin.listInvites(after, limit, now))
          .map(({ inviteId }) => inviteId)
          .filter((inviteId) => ids.includes(inviteId));
      expect(await list("", 1_000)).toEqual(ids);
      expect(await list(ids[0] ?? "", 1_000)).toEqual(ids.slice(1));
      expect((await admin.listInvites(ids[0] ?? "", 1, 40_000))[0]).toEqual({
        inviteId: ids[1],
        usesLeft: 2,
        createTime: 40_000,
        expireTime: 50_000,
      });
      expect(await list("", 1_000, 50_000)).toEqual([]);
      expect(await admin.revokeInvite(ids[0] ?? "", at(50_000))).toBe(false);
      expect(await admin.revokeInvite(ids[0] ?? "", at(41_000))).toBe(true);
      expect(await admin.revokeInvite(ids[0] ?? "", at(41_000))).toBe(false);
      expect(await admin.revokeInvite("%", at(41_000))).toBe(false);
      expect(await list("", 1_000)).toEqual(ids.slice(1));
    });
  });

  describe("the record of administration", () => {
    it("has the newest change first, with the administrator's name", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts, admin } = fixture.store;
      const by = { userId: ada, address: "192.0.2.7", time: 7_000 };
      expect(await accounts.addUser(fixture.newUser("bob"), by)).toEqual({ status: "not-administrator" });
      await accounts.setAdministrator(fixture.name("ada"), true);
      expect(await accounts.addUser(fixture.newUser("bob"), by)).toMatchObject({ status: "added" });
      await admin.endSessions(fixture.name("bob"), { ...by, time: 8_000 });
      await accounts.removeUser(fixture.name("bob"), at(9_000));
      // A change that was not made is not recorded.
      await accounts.removeUser(fixture.name("bob"), at(9_000));
      await admin.revokeInvite("0000000000000000", at(9_000));
      const [third, second, first] = await admin.listActions(Number.MAX_SAFE_INTEGER, 3);
      expect([first, second, third]).toMatchObject([
        { time: 7_000, administrator: fixture.name("ada"), address: "192.0.2.7", action: "add-user" },
        { time: 8_000, administrator: fixture.name("ada"), action: "log-out" },
        { time: 9_000, administrator: undefined, address: "", action: "remove-user" },
      ]);
      expect([first, second, third].map((row) => row?.subject)).toEqual(
        Array.from({ length: 3 }, () => fixture.name("bob")),
      );
      expect(await admin.listActions(third?.actionId ?? 0, 1)).toEqual([second]);
    });
  });
}
