// A database of an earlier version is migrated when it is opened, with all its data.
import { join } from "node:path";
import { expect, it } from "vitest";
import { applicationId, openDatabase } from "../../../server/store/sqlite/database/database.ts";
import { firstShape } from "../../../server/store/sqlite/migrations/0001_first_shape.ts";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { entry } from "../../contract/store-fixture.ts";
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
