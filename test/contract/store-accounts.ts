// The store's promises about users, sessions and invites.
import { describe, expect, it } from "vitest";
import { type Fixture, hashOf, newUser } from "./store-fixture.ts";

export function accountPromises(fixture: Fixture): void {
  describe("users", () => {
    it("are found by their exact name", async () => {
      const [ada] = await fixture.users("Ada");
      const { accounts } = fixture.store;
      expect(await accounts.userByName("Ada")).toEqual({
        userId: ada,
        username: "Ada",
        passwordHash: "hash of Ada",
      });
      expect(await accounts.userByName("ada")).toBeUndefined();
      expect(await accounts.setPassword(ada, { from: "hash of Ada", to: "new" })).toEqual([]);
      expect((await accounts.userByName("Ada"))?.passwordHash).toBe("new");
      expect(await accounts.setPassword(ada, { from: "hash of Ada", to: "newer" })).toBeUndefined();
      expect((await accounts.userByName("Ada"))?.passwordHash).toBe("new");
    });

    it("are refused with a name that is taken or looks like another's", async () => {
      await fixture.users("Ada");
      const { accounts } = fixture.store;
      expect(await accounts.addUser(newUser("Ada"))).toEqual({ status: "name-taken" });
      expect(await accounts.addUser(newUser("ada"))).toEqual({ status: "look-alike" });
      expect(await accounts.addUser(newUser("ada", { refuseLookAlike: false }))).toMatchObject({
        status: "added",
      });
      expect((await accounts.listUsers("", 10)).map((user) => user.username)).toEqual(["Ada", "ada"]);
      expect((await accounts.listUsers("Ada", 10)).map((user) => user.username)).toEqual(["ada"]);
    });

    it("keep id and name when removed, lose sessions, and are found no more", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const session = await fixture.session(ada);
      expect(await accounts.removeUser("ada")).toBe(true);
      expect(await accounts.removeUser("ada")).toBe(false);
      expect(await accounts.userByName("ada")).toBeUndefined();
      expect(await accounts.sessionByToken(session.token, 2_000)).toBeUndefined();
      expect(await accounts.validSessions([session.sessionId], 2_000)).toEqual([]);
      expect(await accounts.usersById([ada, 999, bob])).toEqual([
        { userId: ada, username: "ada" },
        { userId: bob, username: "bob" },
      ]);
      expect((await accounts.listUsers("", 10)).map((user) => user.username)).toEqual(["bob"]);
      expect(await accounts.knownNames(["ada", "bob", "cyd"])).toEqual(["ada", "bob"]);
      expect(await accounts.addUser(newUser("ada"))).toEqual({ status: "name-taken" });
      const [cyd] = await fixture.users("cyd");
      expect(cyd).toBeGreaterThan(bob);
      await expect(fixture.session(ada)).rejects.toThrow();
    });

    it("are imported where their names never existed", async () => {
      const [, gone] = await fixture.users("ada", "gone");
      const { accounts } = fixture.store;
      await accounts.removeUser("gone");
      expect(
        await accounts.importUsers(["ada", "ADA", "gone", "bob", "bob"].map((name) => newUser(name))),
      ).toEqual(["ADA", "bob"]);
      expect((await accounts.userByName("bob"))?.userId).toBeGreaterThan(gone);
      expect((await accounts.userByName("ada"))?.passwordHash).toBe("hash of ada");
    });

    it("tell, within a second, when another process changed them", async () => {
      const { store } = fixture;
      const changes: number[] = [];
      const changed = new Promise<void>((resolve) => {
        store.onExternalChange(() => {
          changes.push(performance.now());
          resolve();
        });
      });
      const begin = performance.now();
      await fixture.under.addUserElsewhere(newUser("bob"));
      await changed;
      expect((changes[0] ?? 0) - begin).toBeLessThan(1_000);
      expect(await store.accounts.userByName("bob")).toBeDefined();
    });

    it("may be written to at once when another process added them", async () => {
      const [ada] = await fixture.users("ada");
      const { log, accounts } = fixture.store;
      const append = (peerId: number) =>
        log.append({
          senderId: ada,
          deviceId: 1,
          clientMessageId: 1n,
          target: { peerId },
          content: hashOf("x"),
          time: 1,
        });
      expect(await append(ada + 1)).toEqual({ status: "no-user" });
      await fixture.under.addUserElsewhere(newUser("bob"));
      expect((await accounts.userByName("bob"))?.userId).toBe(ada + 1);
      expect(await append(ada + 1)).toMatchObject({ status: "stored" });
    });
  });

  describe("invites", () => {
    it("are used up, expire, and are told before anything about the name", async () => {
      await fixture.users("ada");
      const { accounts } = fixture.store;
      const [twice, short] = [hashOf("twice"), hashOf("short")];
      await accounts.addInvite(twice, 2, 5_000, 1_000);
      await accounts.addInvite(short, 1, 2_000, 1_000);
      const signUp = async (name: string, inviteHash: Uint8Array, time = 1_500) =>
        (await accounts.addUser(newUser(name, { inviteHash, time }))).status;
      expect(await signUp("ada", hashOf("unknown"))).toBe("invite-invalid");
      expect(await signUp("ada", short, 2_000)).toBe("invite-invalid");
      expect(await signUp("ada", twice)).toBe("name-taken");
      expect(await signUp("ADA", twice)).toBe("look-alike");
      expect(await signUp("bob", twice)).toBe("added");
      expect(await Promise.all([signUp("cyd", twice), signUp("dan", twice)])).toEqual([
        "added",
        "invite-invalid",
      ]);
      expect(await signUp("ada", twice)).toBe("invite-invalid");
      expect(await signUp("eve", short, 1_999)).toBe("added");
    });
  });

  describe("sessions", () => {
    it("are found by token until they expire, and touched", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts } = fixture.store;
      const { sessionId, deviceId, token } = await fixture.session(ada, 5_000);
      const row = {
        sessionId,
        user: { userId: ada, username: "ada" },
        deviceId,
        client: { name: "test", version: "1", deviceName: "context" },
        address: "127.0.0.1",
        createTime: 1_000,
        lastUsedTime: 1_000,
        expireTime: 5_000,
      };
      expect(await accounts.sessionByToken(token, 4_999)).toEqual(row);
      expect(await accounts.sessionByToken(token, 5_000)).toBeUndefined();
      expect(await accounts.sessionByToken(hashOf("no"), 1_000)).toBeUndefined();
      expect(await accounts.validSessions([sessionId, 999], 4_999)).toEqual([sessionId]);
      expect(await accounts.validSessions([sessionId], 5_000)).toEqual([]);
      await accounts.touchSession(sessionId, 4_000, 8_000);
      expect(await accounts.sessionByToken(token, 5_000)).toEqual({
        ...row,
        lastUsedTime: 4_000,
        expireTime: 8_000,
      });
    });

    it("start on a device that proves itself, and on no other", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const { deviceId } = await fixture.session(ada);
      const start = (userId: number, secret: string, token: string, device = deviceId) =>
        accounts.startSession({
          userId,
          passwordHash: userId === ada ? "hash of ada" : "hash of bob",
          deviceId: device,
          deviceSecretHash: hashOf(secret),
          tokenHash: hashOf(token),
          client: { name: "", version: "", deviceName: "" },
          address: "",
          time: 1_000,
          expireTime: 9_000,
        });
      expect(await start(ada, "secret", "t1")).toMatchObject({ status: "started", deviceId });
      expect(await start(ada, "guess", "t2")).toEqual({ status: "device-invalid" });
      expect(await start(bob, "secret", "t3")).toEqual({ status: "device-invalid" });
      expect(await start(ada, "secret", "t4", 999)).toEqual({ status: "device-invalid" });
    });

    it("are listed newest first in pages, and ended by their user only", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const ids: number[] = [];
      for (let i = 0; i < 4; i++) ids.push((await fixture.session(ada)).sessionId);
      const [s1 = 0, s2 = 0, s3 = 0, s4 = 0] = ids;
      const { sessionId: bobs } = await fixture.session(bob);
      const list = async (before: number, limit: number, now = 2_000) =>
        (await accounts.listSessions(ada, before, limit, now)).map((row) => row.sessionId);
      expect(await list(Number.MAX_SAFE_INTEGER, 3)).toEqual([s4, s3, s2]);
      expect(await list(s2, 3)).toEqual([s1]);
      expect(await list(Number.MAX_SAFE_INTEGER, 3, 1_000_000)).toEqual([]);
      expect(await accounts.endSession(bob, s1)).toBe(false);
      expect(await accounts.endSession(ada, s1)).toBe(true);
      expect(await accounts.endSession(ada, s1)).toBe(false);
      const change = { from: "hash of ada", to: "new", keepSessionId: s3 };
      expect((await accounts.setPassword(ada, change))?.toSorted((a, b) => a - b)).toEqual([s2, s4]);
      // Whoever was verified against the old password comes too late.
      await expect(fixture.session(ada)).rejects.toThrow("password-changed");
      expect(await accounts.validSessions([...ids, bobs], 2_000)).toEqual([s3, bobs]);
    });
  });
}
