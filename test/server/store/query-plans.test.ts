// The cost of a statement does not grow with the tables: SQLite's plans of all statements find their rows by an index.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Database } from "../../../server/store/sqlite/database/database.ts";
import { migrate } from "../../../server/store/sqlite/migrations.ts";
import { headOf } from "../../../server/store/sqlite/operations/heads.ts";
import { storeContract } from "../../contract/store.ts";
import { startInProcess } from "./in-process-thread.ts";
import { sqliteUnderTest } from "./temporary.ts";

/** The statements that may read many rows, each with the reason why the number is bounded all the same. */
const exceptions: readonly { statement: RegExp; reason: string }[] = [
  { statement: /username GLOB/, reason: "a migration, which runs once" },
  { statement: /username AS name FROM users$/, reason: "a migration, which runs once" },
  { statement: /FROM sqlite_schema/, reason: "the tables of the schema do not grow" },
  { statement: /^(SELECT|UPDATE)\b.* server\b/s, reason: "the table server has one row" },
  { statement: /FROM nodes\s+WHERE epoch <> /, reason: "the table nodes has a row for each node" },
  {
    statement: /FROM presence_changes .*ORDER BY number LIMIT/s,
    reason: "a page: reads in the order of an index until the limit",
  },
  {
    statement: /INDEXED BY presence_open/,
    reason: "reads the index of open intervals, which is as long as there are users online",
  },
  {
    statement: /INDEXED BY presence_by_end_time/,
    reason: "reads only the intervals that ended within the time that the caller asks for",
  },
  {
    statement: /administrator = 1 .*ORDER BY username/s,
    reason: "reads the whole index of administrators, who are few, for a command of the operator",
  },
  {
    statement: /FROM log_in_failures WHERE key <> \? ORDER BY locked_until, change_time LIMIT 1/,
    reason: "reads in the order of an index, and stops at the first or second row",
  },
  {
    statement: /FROM devices d WHERE last_used_time < .*LIMIT/s,
    reason: "reads the devices that it removes, and old ones whose session was given a life of over 400 days",
  },
  {
    statement: /FROM entries WHERE position > \? ORDER BY position LIMIT/,
    reason: "reads in the order of the key until the limit",
  },
  { statement: /^DELETE FROM invites WHERE expire_time <= /, reason: "reads only the rows that it deletes" },
  {
    statement: /^DELETE FROM timed_out_sessions WHERE end_time <= /,
    reason: "reads only the rows that it deletes",
  },
  {
    statement: /FROM json_each\(\?1?\)\s+WHERE (NOT )?EXISTS/,
    reason: "reads the list that the caller gives",
  },
  {
    statement:
      /^SELECT user_id AS userId, username FROM users\s+WHERE username > \? .*ORDER BY username LIMIT/s,
    reason: "a page: reads in the order of the key until the limit; removed users are few",
  },
  {
    statement: /FROM sessions\s+WHERE session_id > \? .*ORDER BY session_id LIMIT/s,
    reason:
      "a page: reads in the order of the key until the limit; expired sessions end at the user's next log-in",
  },
  {
    statement: /^DELETE FROM admin_actions WHERE action_id <= /,
    reason: "reads only the rows that it deletes",
  },
  { statement: /^DELETE FROM invites WHERE hash >= /, reason: "reads the one row that it deletes" },
  {
    statement: /FROM users WHERE username > \? AND removed_time IS NULL ORDER BY username LIMIT/,
    reason: "a page: reads in the order of the key until the limit; removed users are few",
  },
  {
    statement: /FROM invites\s+WHERE hash > \? AND expire_time > \? ORDER BY hash LIMIT/,
    reason: "a page: reads in the order of the key until the limit; the next invite removes expired ones",
  },
  {
    statement: /FROM admin_actions .*ORDER BY action_id DESC LIMIT/s,
    reason: "a page: reads in the order of the key until the limit",
  },
  {
    statement: /FROM log_ins WHERE \?1 IS NULL AND log_in_id < \?2 ORDER BY log_in_id DESC LIMIT/,
    reason: "a page: reads in the order of the key until the limit",
  },
];

/** Keys that many rows of a table have. A search by nothing else is like a scan. */
const sharedKeys: Readonly<Record<string, string>> = {
  entries: "conversation_id=?",
  presence_intervals: "user_id=?",
};

/** Statements that begin and end transactions or read settings have no plan. */
const withoutPlan = /^(PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/;

/** Statements of migrations, which run once, on tables of an earlier shape. */
const ofMigrations = /^INSERT INTO (conversations VALUES|entries\s+SELECT)/;

/** The head of a conversation: reads one row at the end of an index. */
const head = new RegExp(escaped(headOf("?")).replaceAll("\\?", "[\\w.?]+"), "g");

describe("query plans", () => {
  const prepared = new Set<string>();
  beforeAll(() => {
    const statement = Database.prototype.statement;
    vi.spyOn(Database.prototype, "statement").mockImplementation(function (this: Database, sql) {
      if (!withoutPlan.test(sql) && !ofMigrations.test(sql)) prepared.add(sql);
      return statement.call(this, sql);
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  // Statements are prepared at their first use, in one place, and the contract uses every operation.
  storeContract("while the contract runs", () => sqliteUnderTest(startInProcess));

  it("of all statements find their rows by an index", () => {
    vi.restoreAllMocks();
    expect(prepared.size).toBeGreaterThan(50);
    const database = new DatabaseSync(":memory:");
    migrate(new Database(database), ":memory:");
    const wide = [...prepared].flatMap((sql) => {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll(head, "0")}`).all();
      const steps = plan.map(({ detail }) => String(detail)).filter((step) => readsMuch(step, sql));
      if (steps.length === 0 || exceptions.some(({ statement }) => statement.test(sql))) return [];
      return [{ sql, steps }];
    });
    expect(wide).toEqual([]);
  });

  it("were seen for every statement in the sources", () => {
    const missing = statementsInSources().filter(
      (pattern) => ![...prepared].some((sql) => pattern.test(sql)),
    );
    expect(missing, "no test of the contract in test/contract/ uses these statements").toEqual([]);
  });

  it("need every exception", () => {
    const unused = exceptions.filter(({ statement }) => ![...prepared].some((sql) => statement.test(sql)));
    expect(unused).toEqual([]);
  });
});

/** Whether a step of a plan reads a whole table, or a part that grows with it. */
function readsMuch(step: string, sql: string): boolean {
  // The row of a statement's own constants, and the rows that a subquery has found.
  if (/^SCAN (CONSTANT ROW|\(subquery|seen\b)/.test(step)) return false;
  if (step.startsWith("SCAN ")) return true;
  const [, alias = "", keys = ""] = /^SEARCH (\w+) .*\((.*)\)/.exec(step) ?? [];
  if (/^\w+[<>]\?$/.test(keys)) return true;
  const table = new RegExp(`\\b(?:FROM|JOIN) (\\w+) (?:AS )?${alias}\\b`).exec(sql)?.[1] ?? alias;
  return sharedKeys[table] === keys;
}

/** These run at the start and for commands of the operator, and read a whole file on purpose. */
const notWhileServing: readonly string[] = ["restoring.ts", join("database", "data-check.ts")];

/** The texts of SQL in the sources of the store, as patterns in which each `${…}` stands for any text. */
function statementsInSources(): RegExp[] {
  const folder = fileURLToPath(new URL("../../../server/store/sqlite/", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter(
      (file) => file.endsWith(".ts") && !file.startsWith("migrations/") && !notWhileServing.includes(file),
    )
    .flatMap((file) =>
      literals(readFileSync(join(folder, file), "utf8").replace(/^\s*(\/\/|\/?\*).*$/gm, "")),
    )
    .filter((parts) => /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s/.test(parts.join("x")))
    .map((parts) => new RegExp(parts.map(escaped).join("[^]*")));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** The texts in double quotes and back quotes, each split at its `${…}`. */
function literals(source: string): string[][] {
  const found: string[][] = [];
  const read = (start: number): number => {
    const parts: string[] = [];
    let part = "";
    const quote = source[start];
    let at = start + 1;
    for (; at < source.length && source[at] !== quote; at += 1) {
      if (quote === "`" && source.startsWith("${", at)) {
        parts.push(part);
        part = "";
        at = skip(at + 2);
      } else part += source[at];
    }
    found.push([...parts, part]);
    return at;
  };
  /** Skips code up to the brace that closes it, or the end. */
  const skip = (start: number): number => {
    let depth = 0;
    let at = start;
    for (; at < source.length; at += 1) {
      const character = source[at];
      if (character === '"' || character === "`") at = read(at);
      else if (character === "{") depth += 1;
      else if (character === "}" && --depth < 0) break;
    }
    return at;
  };
  skip(0);
  return found;
}
