// Measures reads of an old log with hidden ranges: a page of history, and many clients that come back.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Backlog } from "../server/chat/backlog.ts";
import { ConversationLog } from "../server/chat/conversation-log.ts";
import { UserCache } from "../server/chat/user-cache.ts";
import { openDatabase } from "../server/store/sqlite/database/database.ts";
import { defineChecksum } from "../server/store/sqlite/operations/log/checksum.ts";
import { logOperations } from "../server/store/sqlite/operations/log/log-operations.ts";
import { openSqliteStore } from "../server/store/sqlite/sqlite-store.ts";
import type { Store } from "../server/store/store.ts";
import { readCommandLine } from "./usage.ts";

readCommandLine({
  command: "npm run bench:old-log",
  what: "Measures reads of an old log with hidden ranges: a page of history, and many clients that come back.",
  flags: {},
});

const AUTHORS = 10;
const CLIENTS = 500;

const folder = await mkdtemp(join(tmpdir(), "parley-bench-"));
try {
  await measure("a page of 100 entries of 100,000", 100_000, async (store, head) => {
    const log = new ConversationLog(store.log, new UserCache(store.accounts), () => undefined);
    const pages = 200;
    for (const newest of [false, true]) {
      const from = performance.now();
      for (let page = 0; page < pages; page += 1) {
        await log.page(AUTHORS + 1 + page, { conversationId: store.broadcastId }, 1, head, {
          entries: 100,
          newest,
        });
      }
      const ms = (performance.now() - from) / pages;
      process.stdout.write(`  the ${newest ? "newest" : "oldest"}: ${ms.toFixed(3)} ms\n`);
    }
    using database = openDatabase({ file: join(folder, `${head}.db`), readOnly: true });
    const from = performance.now();
    for (let page = 0; page < pages; page += 1) {
      logOperations.visibleRanges.run(
        database,
        AUTHORS + 1 + page,
        store.broadcastId,
        head / 2,
        head / 2 + 99,
      );
    }
    const ms = (performance.now() - from) / pages;
    process.stdout.write(`  the query of 100 seqs in the middle alone: ${ms.toFixed(3)} ms\n`);
  });
  await measure(`${CLIENTS} clients that come back over 300,000 broadcasts`, 300_000, async (store, head) => {
    const log = new ConversationLog(store.log, new UserCache(store.accounts), () => undefined);
    const from = performance.now();
    const cursors = new Map([[store.broadcastId, head / 3]]);
    let events = 0;
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, index) => {
        const user = { userId: AUTHORS + 1 + index, username: `client${index}` };
        const backlog = new Backlog(store.log, log, user, true);
        const send = async (pieces: Iterable<Uint8Array>) => {
          for (const _piece of pieces) events += 1;
          return Promise.resolve(true);
        };
        await backlog.send({ send, sentUpTo: () => undefined }, cursors);
      }),
    );
    const seconds = (performance.now() - from) / 1000;
    process.stdout.write(`  ${seconds.toFixed(2)} s for ${events} events\n`);
  });
} finally {
  await rm(folder, { recursive: true });
}

/**
 * Runs the work on a store with this many broadcasts of ten authors. Each client was online all the time, blocks one of
 * the authors now, and blocked another for the middle third of the log.
 */
async function measure(
  title: string,
  broadcasts: number,
  work: (store: Store, head: number) => Promise<void>,
): Promise<void> {
  const file = join(folder, `${broadcasts}.db`);
  await (await openSqliteStore({ file }))[Symbol.asyncDispose]();
  fill(file, broadcasts);
  const store = await openSqliteStore({ file });
  try {
    process.stdout.write(`${title}\n`);
    await work(store, broadcasts);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

function fill(file: string, broadcasts: number): void {
  using database = openDatabase({ file });
  defineChecksum(database);
  const third = Math.floor(broadcasts / 3);
  database.exec(`
    BEGIN;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${AUTHORS + CLIENTS})
      INSERT INTO users (user_id, username, skeleton, password_hash, create_time)
      SELECT i, 'user' || i, 'user' || i, '', 1 FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${broadcasts})
      INSERT INTO entries SELECT i, 1, i, 1 + i % ${AUTHORS}, 1 + i % ${AUTHORS}, i, i, 1,
        entry_checksum(i, 1, i, 1 + i % ${AUTHORS}, 1 + i % ${AUTHORS}, i, i, 1, zeroblob(60)), zeroblob(60) FROM n;
    INSERT INTO presence_intervals (user_id, start_time, end_time, from_seq, to_seq)
      SELECT user_id, 1, 2, 1, ${broadcasts} FROM users;
    INSERT INTO hidden SELECT user_id, 1, 1 + user_id % ${AUTHORS}, 1, NULL FROM users WHERE user_id > ${AUTHORS};
    INSERT INTO hidden SELECT user_id, 1, 1 + (user_id + 1) % ${AUTHORS}, ${third}, ${2 * third} FROM users
      WHERE user_id > ${AUTHORS};
    COMMIT;
  `);
}
