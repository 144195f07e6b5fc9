// A database of an earlier version is migrated when it is opened, with all its data.
import { join } from "node:path";
import { expect, it } from "vitest";
import { applicationId, openDatabase } from "../../../server/store/sqlite/database/database.ts";
import { firstShape } from "../../../server/store/sqlite/migrations/0001_first_shape.ts";
import { blocksAndLocks } from "../../../server/store/sqlite/migrations/0002_blocks_and_locks.ts";
import { identities } from "../../../server/store/sqlite/migrations/0003_identities.ts";
import { logInQuotas } from "../../../server/store/sqlite/migrations/0004_log_in_quotas.ts";
import { examineData } from "../../../server/store/sqlite/restoring.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { bytes, entry } from "../../contract/store-fixture.ts";
import { makeOldDatabase } from "./old-database.ts";
import { temporaryFolder } from "./temporary.ts";

it("version 1: the markers stay visible, and blocks can be set", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  {
    using database = openDatabase({ file });
    database.transaction(() => {
      firstShape(database);
      database.exec(`
        PRAGMA application_id = ${applicationId};
        PRAGMA user_version = 1;
        INSERT INTO users (username, skeleton, password_hash, create_time)
          VALUES ('ada', 'ada', 'x', 1), ('bob', 'bob', 'x', 1);
        INSERT INTO conversations (kind, head_seq, user_low, user_high) VALUES ('direct', 2, 1, 2);
        INSERT INTO participants VALUES (1, 2, 2, 1), (2, 2, 0, 0);
        INSERT INTO entries VALUES (2, 1, 2, 1, 1, 1, x'00'), (2, 2, 2, 1, 2, 1, x'00');
      `);
    });
  }
  await using store = await openSqliteStore({ file });
  expect(await store.log.directConversation(2, 1)).toMatchObject({
    headSeq: 2,
    peerMarkers: { deliveredSeq: 2, readSeq: 1 },
    undelivered: [],
  });
  expect(await store.blocks.block(1, 2, 5)).toBe("blocked");
  expect(await store.log.append(entry(2, 3, { peerId: 1 }))).toEqual({ status: "blocked" });
  expect(await store.accounts.administrators()).toEqual([]);
});

it("version 3: the record of log-ins keeps its rows, and its bounds count them", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  {
    using database = openDatabase({ file });
    database.transaction(() => {
      for (const step of [firstShape, blocksAndLocks, identities]) step(database);
      database.exec(`
        PRAGMA application_id = ${applicationId};
        PRAGMA user_version = 3;
        INSERT INTO users (username, skeleton, password_hash, create_time) VALUES ('ada', 'ada', 'x', 1);
        INSERT INTO log_in_failures VALUES ('name:ada', 3, 90, 1), ('name:bob', 1, 0, 1);
        WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 1000)
          INSERT INTO log_ins (user_id, username, client_name, client_version, device_name, address, outcome, count,
            first_time, time)
          SELECT 1, 'ada', '', '', '', '192.0.2.' || i, 'wrong-password', 1, i, i FROM numbers;
        INSERT INTO log_ins (user_id, username, client_name, client_version, device_name, address, outcome, count,
            first_time, time)
          VALUES (1, 'ada', '', '', '', '::1', 'logged-in', 1, 1001, 1001),
            (NULL, 'nobody', '', '', '', '::1', 'wrong-password', 2, 1002, 1002);
      `);
    });
  }
  await using store = await openSqliteStore({ file });
  expect(await store.logIns.failures("name:ada")).toEqual({ count: 3, lockedUntil: 90, locks: 1 });
  const client = { name: "", version: "", deviceName: "" };
  const attempt = {
    username: "ada",
    userId: 1,
    deviceId: undefined,
    client,
    address: "x",
    network: "x",
    time: 2_000,
  };
  await store.logIns.record({ ...attempt, outcome: "wrong-password" });
  const rows = await store.logIns.listLogIns("everyone", Number.MAX_SAFE_INTEGER, 2_000);
  expect(rows.slice(0, 3).map(({ username, outcome }) => [username, outcome])).toEqual([
    ["ada", "wrong-password"],
    ["nobody", "wrong-password"],
    ["ada", "logged-in"],
  ]);
  expect(rows).toHaveLength(1_002);
  expect(rows.at(-1)?.time).toBe(2);
});

it("version 4: names get the form in which they are looked up, unless another user has it", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  {
    using database = openDatabase({ file });
    database.transaction(() => {
      for (const step of [firstShape, blocksAndLocks, identities, logInQuotas]) step(database);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = 4;`);
      for (const name of ["Zoe\u0308", "\uff59oda", "a\u0308", "ä", "plain"]) {
        const sql =
          "INSERT INTO users (username, skeleton, password_hash, create_time) VALUES (?, ?, 'x', 1)";
        database.run(sql, name, name);
      }
      database.run("INSERT INTO log_in_failures VALUES (?, 3, 90, 1, 1)", "name:Zoe\u0308");
    });
  }
  await using store = await openSqliteStore({ file });
  const names = (await store.accounts.usersById([1, 2, 3, 4, 5])).map(({ username }) => username);
  expect(names).toEqual(["Zoë", "yoda", "a\u0308", "ä", "plain"]);
  expect(await store.logIns.failures("name:Zoë")).toMatchObject({ count: 3, lockedUntil: 90 });
});

it("version 10: entries get a position in the order of their times, a kind and a checksum", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  makeOldDatabase(file, 4, 70);
  {
    using database = openDatabase({ file });
    // A clock that was set back, an id of 64 bits, a kind that this version does not know, and no Content at all.
    database.exec(`
      UPDATE entries SET time = 0 WHERE conversation_id = 2 AND seq = 2;
      UPDATE entries SET content = x'12027878' WHERE conversation_id = 3 AND seq = 1;
      UPDATE entries SET content = x'ff' WHERE conversation_id = 4 AND seq = 1;
    `);
  }
  {
    await using store = await openSqliteStore({ file });
    const { conversationId = 0, headSeq } = (await store.log.directConversation(1, 2)) ?? {};
    expect([conversationId, headSeq]).toEqual([2, 10]);
    const entries = await store.log.entries(conversationId, 1, 10, 10);
    expect(entries.map(({ seq, time, senderId }) => [seq, time, senderId]).slice(0, 3)).toEqual([
      [1, 1, 1],
      [2, 0, 2],
      [3, 15, 1],
    ]);
    // A repeated send finds the entry that the first one stored.
    const repeated = { ...entry(1, 0, { peerId: 2 }, ""), clientMessageId: 2n ** 64n - 69n };
    expect(
      await store.log.append({ ...repeated, deviceId: 1, content: entries[0]?.content ?? bytes("") }),
    ).toMatchObject({ status: "repeated", seq: 1 });
    expect(await store.log.append(entry(1, 1, { peerId: 2 }))).toMatchObject({ status: "stored", seq: 11 });
  }
  expect(examineData(file)).toEqual([]);
  using database = openDatabase({ file, readOnly: true });
  const rows = database.all<{ c: number; seq: number; time: number; kind: number }>(
    "SELECT conversation_id AS c, seq, time, kind FROM entries ORDER BY position",
  );
  expect(rows).toHaveLength(71);
  expect(rows.filter(({ kind }) => kind === 0).map(({ c, seq }) => [c, seq])).toEqual([
    [3, 1],
    [4, 1],
  ]);
  expect(rows.slice(0, 5).map(({ c, seq }) => [c, seq])).toEqual([
    [1, 1],
    [2, 1],
    // This entry cannot come before the one that it follows.
    [2, 2],
    [3, 1],
    [4, 1],
  ]);
});

it("version 10: users who were online stay so for the grace period, and then were online until the last heartbeat", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  makeOldDatabase(file, 3, 30);
  {
    using database = openDatabase({ file });
    database.exec(`
      UPDATE server SET heartbeat = 50000;
      INSERT INTO presence_intervals (user_id, start_time, end_time, from_seq, to_seq)
        VALUES (1, 1000, 2000, 1, 2), (1, 3000, NULL, 4, NULL), (2, 1000, 40000, 1, 5);
    `);
  }
  await using store = await openSqliteStore({ file });
  const { presence, nodes, log, broadcastId } = store;
  const epoch = await nodes.take("a", 51_000, 66_000);
  expect(await presence.of(1, 0, 0)).toMatchObject({ online: true });
  expect(await presence.nextSweep(epoch, 10_000)).toBe(60_000);
  expect(await presence.sweep(epoch, 60_000, 10_000, 10)).toBe(true);
  expect(await presence.of(1, 0, 0)).toMatchObject({ online: false, lastOnlineTime: 50_000 });
  expect(await presence.of(2, 0, 0)).toMatchObject({ online: false, lastOnlineTime: 40_000 });
  const [head = 0] = await log.heads(0, [broadcastId]);
  expect(await log.visibleRanges(1, broadcastId, 1, head + 1)).toEqual([
    { from: 1, to: 2 },
    { from: 4, to: head },
  ]);
});

it("version 10: sessions stay, and count as active when they were used last", async () => {
  await using place = await temporaryFolder();
  const file = join(place.folder, "parley.db");
  makeOldDatabase(file, 3, 30);
  {
    using database = openDatabase({ file });
    database.exec(`
      INSERT INTO devices (device_id, user_id, secret_hash, create_time) VALUES (901, 1, x'01', 1);
      INSERT INTO sessions (user_id, device_id, token_hash, client_name, client_version, device_name, address,
          create_time, last_used_time, expire_time)
        VALUES (1, 901, x'01', '', '', '', '', 1000, 2000, 9000);
    `);
  }
  await using store = await openSqliteStore({ file });
  const { accounts } = store;
  const [{ sessionId } = { sessionId: 0 }] = await accounts.listSessions(
    1,
    Number.MAX_SAFE_INTEGER,
    2,
    3_000,
  );
  expect(await accounts.liveSessions(0, 2, 3_000)).toEqual([{ sessionId, userId: 1, activeTime: 2_000 }]);
  expect(await accounts.endIdleSession(1, sessionId, 1_999, 3_000)).toMatchObject({ status: "active" });
});
