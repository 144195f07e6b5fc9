// The store's promises about users, sessions and invites.
import { describe, expect, it } from "vitest";
import { type Fixture, hashOf } from "./store-fixture.ts";

export function accountPromises(fixture: Fixture): void {
  describe("users", () => {
    it("are found by their exact name", async () => {
      const [ada] = await fixture.users("Ada");
      const { accounts } = fixture.store;
      const name = fixture.name("Ada");
      const hash = fixture.hash("Ada");
      expect(await accounts.userByName(name)).toEqual({ userId: ada, username: name, passwordHash: hash });
      expect(await accounts.userByName(fixture.name("ada"))).toBeUndefined();
      expect(await accounts.setPassword(ada, { from: hash, to: "new" })).toEqual([]);
      expect((await accounts.userByName(name))?.passwordHash).toBe("new");
      expect(await accounts.setPassword(ada, { from: hash, to: "newer" })).toBeUndefined();
      expect((await accounts.userByName(name))?.passwordHash).toBe("new");
    });

    it("are refused with a name that is taken or looks like another name", async () => {
      await fixture.users("Ada");
      const { accounts } = fixture.store;
      expect(await accounts.addUser(fixture.newUser("Ada"))).toEqual({ status: "name-taken" });
      expect(await accounts.addUser(fixture.newUser("ada"))).toEqual({ status: "look-alike" });
      expect(await accounts.addUser(fixture.newUser("ada", { refuseLookAlike: false }))).toMatchObject({
        status: "added",
      });
      expect((await accounts.listUsers(fixture.name(""), 10)).map((user) => user.username)).toEqual(
        ["Ada", "ada"].map(fixture.name),
      );
      expect((await accounts.listUsers(fixture.name("Ada"), 10)).map((user) => user.username)).toEqual([
        fixture.name("ada"),
      ]);
    });

    it("are found by id until they are removed, and then only as removed users", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts } = fixture.store;
      const row = { userId: ada, username: fixture.name("ada") };
      expect(await accounts.userById(ada)).toEqual(row);
      expect(await accounts.userById(999_999)).toBeUndefined();
      expect(await accounts.removedUser(row.username)).toBeUndefined();
      await accounts.removeUser(row.username);
      expect(await accounts.userById(ada)).toBeUndefined();
      expect(await accounts.removedUser(row.username)).toEqual(row);
    });

    it("are found by the beginning of the name, apart from case, also by those whom they block", async () => {
      const names = ["ada", "Adam", "adÉle", "bob", "ADRIAN", "Ada2"];
      const [, , , bob, adrian] = await fixture.users("ada", "Adam", "adÉle", "bob", "ADRIAN", "Ada2");
      const { accounts, blocks } = fixture.store;
      const search = async (prefix: string, asking = 0, after = "", limit = 10) => {
        const rows = await accounts.searchUsers(fixture.name(prefix), asking, after, limit);
        return rows.map(({ username }) => names.find((name) => fixture.name(name) === username));
      };
      expect(await search("AD")).toEqual(["ada", "Ada2", "Adam", "ADRIAN", "adÉle"]);
      expect(await search("adé")).toEqual(["adÉle"]);
      expect(await search("ada", 0, fixture.name("ada"), 1)).toEqual(["Ada2"]);
      expect(await search("ada", 0, fixture.name("Ada2"))).toEqual(["Adam"]);
      await blocks.block(adrian, bob, 1_000);
      expect(await search("ad", bob)).toEqual(["ada", "Ada2", "Adam", "ADRIAN", "adÉle"]);
      expect(await search("adr", adrian)).toEqual([]);
      await accounts.removeUser(fixture.name("Adam"));
      expect(await search("adam")).toEqual([]);
      await accounts.importUsers([fixture.newUser("Adamo")]);
      expect((await accounts.searchUsers(fixture.name("adam"), 0, "", 9)).length).toBe(1);
    });

    it("delete their accounts with the hash of the password, and are then removed users", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts } = fixture.store;
      const { sessionId } = await fixture.session(ada);
      expect(await accounts.deleteAccount(ada, sessionId, "another hash")).toBe(false);
      const { sessionId: ended } = await fixture.session(ada);
      await accounts.endSession(ada, ended);
      expect(await accounts.deleteAccount(ada, ended, fixture.hash("ada"))).toBe(false);
      expect(await accounts.endedSessions([sessionId], 2_000)).toEqual([]);
      expect(await accounts.deleteAccount(ada, sessionId, fixture.hash("ada"))).toBe(true);
      expect(await accounts.deleteAccount(ada, sessionId, fixture.hash("ada"))).toBe(false);
      expect(await accounts.endedSessions([sessionId], 2_000)).toEqual([{ sessionId, why: "ended" }]);
      expect(await accounts.userById(ada)).toBeUndefined();
      expect((await accounts.removedUser(fixture.name("ada")))?.userId).toBe(ada);
    });

    it("list and remove their devices, with the sessions and the certificates", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts, identities } = fixture.store;
      const first = await fixture.session(ada);
      const second = await fixture.session(ada, 5_000);
      const others = await fixture.session(bob);
      await identities.registerDevice({
        userId: ada,
        deviceId: first.deviceId,
        certificate: hashOf("certificate"),
        fingerprint: "fingerprint",
        time: 1_000,
      });
      const row = { name: "laptop", createTime: 1_000 };
      const rows = [
        { ...row, deviceId: second.deviceId, lastUsedTime: 1_000, sessions: 1, hasCertificate: false },
        { ...row, deviceId: first.deviceId, lastUsedTime: 1_000, sessions: 1, hasCertificate: true },
      ];
      expect(await accounts.listUserDevices(ada, 1e9, 9, 2_000)).toEqual(rows);
      expect(await accounts.listUserDevices(ada, 1e9, 1, 2_000)).toEqual(rows.slice(0, 1));
      expect(await accounts.listUserDevices(ada, second.deviceId, 9, 2_000)).toEqual(rows.slice(1));
      // An expired session does not count.
      expect((await accounts.listUserDevices(ada, 1e9, 1, 5_000))[0]).toMatchObject({
        lastUsedTime: undefined,
        sessions: 0,
      });
      expect(await accounts.removeDevice(ada, others.deviceId)).toBeUndefined();
      expect(await accounts.removeDevice(ada, first.deviceId)).toEqual([first.sessionId]);
      expect(await accounts.removeDevice(ada, first.deviceId)).toBeUndefined();
      expect(await accounts.sessionByToken(first.token, 2_000)).toBeUndefined();
      expect(await identities.peerDevice(first.deviceId)).toBeUndefined();
      expect(await accounts.hasDevice(ada, first.deviceId, hashOf("secret"))).toBe(false);
      expect((await accounts.listUserDevices(ada, 1e9, 9, 2_000)).length).toBe(1);
      expect(await accounts.sessionByToken(others.token, 2_000)).toBeDefined();
    });

    it("keep id and name when removed, lose their sessions, and are not found any more", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const session = await fixture.session(ada);
      expect(await accounts.removeUser(fixture.name("ada"))).toBe(true);
      expect(await accounts.removeUser(fixture.name("ada"))).toBe(false);
      expect(await accounts.userByName(fixture.name("ada"))).toBeUndefined();
      expect(await accounts.sessionByToken(session.token, 2_000)).toBeUndefined();
      expect(await accounts.endedSessions([session.sessionId], 2_000)).toHaveLength(1);
      expect(await accounts.usersById([ada, 999, bob])).toEqual([
        { userId: ada, username: fixture.name("ada") },
        { userId: bob, username: fixture.name("bob") },
      ]);
      expect((await accounts.listUsers(fixture.name(""), 10)).map((user) => user.username)).toEqual([
        fixture.name("bob"),
      ]);
      expect(await accounts.knownNames(["ada", "bob", "cyd"].map(fixture.name))).toEqual(
        ["ada", "bob"].map(fixture.name),
      );
      expect(await accounts.addUser(fixture.newUser("ada"))).toEqual({ status: "name-taken" });
      const [cyd] = await fixture.users("cyd");
      expect(cyd).toBeGreaterThan(bob);
      await expect(fixture.session(ada)).rejects.toThrow();
    });

    it("are imported if their names were never used", async () => {
      const [, removed] = await fixture.users("ada", "removed");
      const { accounts } = fixture.store;
      await accounts.removeUser(fixture.name("removed"));
      expect(
        await accounts.importUsers(
          ["ada", "ADA", "removed", "bob", "bob"].map((name) => fixture.newUser(name)),
        ),
      ).toEqual(["ADA", "bob"].map(fixture.name));
      expect((await accounts.userByName(fixture.name("bob")))?.userId).toBeGreaterThan(removed);
      expect((await accounts.userByName(fixture.name("ada")))?.passwordHash).toBe(fixture.hash("ada"));
    });

    it("are reported within a second when another process changes them", async () => {
      const { store } = fixture;
      let changed = Promise.withResolvers<void>();
      store.onExternalChange(() => changed.resolve());
      let fastest = Number.POSITIVE_INFINITY;
      // A machine that is busy may delay a single report, but not all of them.
      for (let attempt = 1; attempt <= 5 && fastest >= 1_000; attempt++) {
        changed = Promise.withResolvers();
        const begin = performance.now();
        await fixture.under.addUserElsewhere(fixture.newUser(`bob ${attempt}`));
        await changed.promise;
        fastest = Math.min(fastest, performance.now() - begin);
        expect(await store.accounts.userByName(fixture.name(`bob ${attempt}`))).toBeDefined();
      }
      expect(fastest).toBeLessThan(1_000);
    });

    it("can receive entries as soon as another process has added them", async () => {
      const [ada] = await fixture.users("ada");
      const { log, accounts } = fixture.store;
      const append = (peerId: number) =>
        log.append({
          senderId: ada,
          deviceId: 1,
          clientMessageId: 1n,
          target: { peerId },
          content: hashOf("x"),
          kind: 1,
          time: 1,
        });
      expect(await append(ada + 1)).toEqual({ status: "no-user" });
      await fixture.under.addUserElsewhere(fixture.newUser("bob"));
      expect((await accounts.userByName(fixture.name("bob")))?.userId).toBe(ada + 1);
      expect(await append(ada + 1)).toMatchObject({ status: "stored" });
    });
  });

  describe("invites", () => {
    it("are used up, expire, and are checked before the name", async () => {
      await fixture.users("ada");
      const { accounts } = fixture.store;
      const [twice, short] = [hashOf("twice"), hashOf("short")];
      await accounts.addInvite(twice, 2, 5_000, 1_000);
      await accounts.addInvite(short, 1, 2_000, 1_000);
      const signUp = async (name: string, inviteHash: Uint8Array, time = 1_500) =>
        (await accounts.addUser(fixture.newUser(name, { inviteHash, time }))).status;
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

  describe("devices", () => {
    fixture.ownStore();

    it("are removed once they have no valid session and were not used for 400 days, and never before", async () => {
      const { accounts } = fixture.store;
      const [ada] = await fixture.users("ada");
      const day = 24 * 60 * 60_000;
      let token = 0;
      const logIn = async (time: number, expireTime: number, deviceId?: number) => {
        const result = await accounts.startSession({
          userId: ada,
          passwordHash: fixture.hash("ada"),
          deviceId,
          deviceSecretHash: hashOf("secret"),
          tokenHash: hashOf(`device token ${++token}`),
          client: { name: "test", version: "1", deviceName: "laptop" },
          address: "127.0.0.1",
          time,
          expireTime,
        });
        if (result.status !== "started") throw new Error(result.status);
        return result;
      };
      const has = (deviceId: number) => accounts.hasDevice(ada, deviceId, hashOf("secret"));
      const forgotten = await logIn(day, 2 * day);
      const again = await logIn(day, 2 * day);
      const lasting = await logIn(day, 900 * day);
      const touched = await logIn(day, 300 * day);
      await logIn(100 * day, 101 * day, again.deviceId);
      await accounts.touchSession(touched.sessionId, 200 * day, 201 * day);
      await logIn(401 * day, 402 * day);
      expect(await has(forgotten.deviceId)).toBe(true);
      await logIn(401 * day + 1, 402 * day);
      expect(await has(forgotten.deviceId)).toBe(false);
      expect(await has(again.deviceId)).toBe(true);
      await logIn(501 * day, 502 * day);
      expect(await has(again.deviceId)).toBe(false);
      await logIn(599 * day, 600 * day);
      expect(await has(touched.deviceId)).toBe(true);
      await logIn(601 * day, 602 * day);
      expect(await has(touched.deviceId)).toBe(false);
      expect(await has(lasting.deviceId)).toBe(true);
    });
  });

  describe("sessions", () => {
    it("are found by their token until they expire, which a touch delays", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts } = fixture.store;
      const { sessionId, deviceId, token } = await fixture.session(ada, 5_000);
      const row = {
        sessionId,
        user: { userId: ada, username: fixture.name("ada") },
        isBot: false,
        deviceId,
        client: { name: "test", version: "1", deviceName: "laptop" },
        address: "127.0.0.1",
        createTime: 1_000,
        lastUsedTime: 1_000,
        expireTime: 5_000,
      };
      expect(await accounts.sessionByToken(token, 4_999)).toEqual(row);
      expect(await accounts.sessionByToken(token, 5_000)).toBeUndefined();
      expect(await accounts.sessionByToken(hashOf("no"), 1_000)).toBeUndefined();
      expect(await accounts.endedSessions([sessionId, 999_999], 4_999)).toEqual([
        { sessionId: 999_999, why: "ended" },
      ]);
      expect(await accounts.endedSessions([sessionId], 5_000)).toEqual([{ sessionId, why: "ended" }]);
      await accounts.touchSession(sessionId, 4_000, 8_000);
      expect(await accounts.sessionByToken(token, 5_000)).toEqual({
        ...row,
        lastUsedTime: 4_000,
        expireTime: 8_000,
      });
      // The operator may have shortened the lifetime of sessions.
      await accounts.touchSession(sessionId, 4_000, 6_000);
      expect((await accounts.sessionByToken(token, 5_000))?.expireTime).toBe(6_000);
    });

    it("start on a device of the user whose secret is right, and on no other", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const { deviceId } = await fixture.session(ada);
      const start = (userId: number, secret: string, token: string, device = deviceId) =>
        accounts.startSession({
          userId,
          passwordHash: fixture.hash(userId === ada ? "ada" : "bob"),
          deviceId: device,
          deviceSecretHash: hashOf(secret),
          tokenHash: hashOf(fixture.name(token)),
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

    it("start while fewer sessions of the user are online, on the own node and on nodes whose lease is not over", async () => {
      const [ada] = await fixture.users("ada");
      const { accounts, nodes, presence } = fixture.store;
      const own = await nodes.take(fixture.name("own"), 1_000, 2_000);
      const other = await nodes.take(fixture.name("other"), 1_000, 5_000);
      const start = (sessions: number, time: number) => {
        const token = hashOf(fixture.name(`bound ${sessions} ${time}`));
        return fixture.start(ada, { tokenHash: token, time, mostOnline: { epoch: own, sessions } });
      };
      const stream = { streamId: 1, userId: ada, processId: "" };
      const most = { streams: 9, sessions: 9 };
      await presence.open({ ...stream, epoch: own, sessionId: 1_001 }, 1_000, most);
      await presence.open({ ...stream, epoch: other, sessionId: 1_002 }, 1_000, most);
      await presence.open({ ...stream, epoch: other, streamId: 2, sessionId: 1_001 }, 1_000, most);
      expect(await start(2, 4_999)).toEqual({ status: "too-many-sessions" });
      expect(await start(3, 4_999)).toMatchObject({ status: "started" });
      // The lease of the other node is over, and the session of the own node remains.
      expect(await start(1, 5_000)).toEqual({ status: "too-many-sessions" });
      expect(await start(2, 5_000)).toMatchObject({ status: "started" });
      expect(await accounts.listSessions(ada, Number.MAX_SAFE_INTEGER, 9, 5_000)).toHaveLength(2);
    });

    it("are listed newest first, in pages, and ended only by their user", async () => {
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
      const change = { from: fixture.hash("ada"), to: "new", keepSessionId: s3 };
      expect(await accounts.setPassword(ada, { ...change, keepSessionId: s1 })).toBeUndefined();
      expect(await accounts.setPassword(ada, { ...change, keepSessionId: bobs })).toBeUndefined();
      expect((await accounts.setPassword(ada, change))?.toSorted((a, b) => a - b)).toEqual([s2, s4]);
      // A log-in that was verified against the old password is refused.
      await expect(fixture.session(ada)).rejects.toThrow("password-changed");
      const ended = await accounts.endedSessions([...ids, bobs], 2_000);
      expect(ended.map(({ sessionId }) => sessionId)).toEqual([s1, s2, s4]);
    });

    it("are ended as idle only if no later command was reported, and the reason is kept for ten minutes", async () => {
      const [ada, bob] = await fixture.users("ada", "bob");
      const { accounts } = fixture.store;
      const { sessionId } = await fixture.session(ada);
      const { sessionId: other } = await fixture.session(ada);
      const end = (activeTime: number, userId = ada) =>
        accounts.endIdleSession(userId, sessionId, activeTime, 9_000);
      expect(await end(999)).toEqual({ status: "active", activeTime: 1_000 });
      await accounts.reportActivity([
        [sessionId, 5_000],
        [other, 3_000],
        [999_999, 3_000],
      ]);
      await accounts.reportActivity([[sessionId, 4_000]]);
      expect(await end(4_999)).toEqual({ status: "active", activeTime: 5_000 });
      expect(await end(5_000, bob)).toEqual({ status: "gone" });
      expect(await end(5_000)).toEqual({ status: "ended" });
      expect(await end(5_000)).toEqual({ status: "gone" });
      const why = () => accounts.endedSessions([other, sessionId], 9_000);
      expect(await why()).toEqual([{ sessionId, why: "timed-out" }]);
      expect(await accounts.endIdleSession(ada, other, 3_000, 9_000 + 600_000)).toEqual({ status: "ended" });
      expect(await why()).toEqual([
        { sessionId: other, why: "timed-out" },
        { sessionId, why: "ended" },
      ]);
    });
  });
}
