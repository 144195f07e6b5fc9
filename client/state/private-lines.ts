// What was said in private chats, kept on this device where the person wants it.
import type { DatabaseSync } from "node:sqlite";
import { scrub } from "./database.ts";
import { integer, text } from "./rows.ts";

export interface PrivateLine {
  readonly username: string;
  readonly mine: boolean;
  readonly time: Date;
  readonly text: string;
}

export interface Forgotten {
  readonly lines: number;
  /** Nothing of them is left in the state file and its log; else another process was using it: to be done again. */
  readonly isGone: boolean;
}

export class PrivateLines {
  readonly #db: DatabaseSync;
  readonly #profileId: number;

  constructor(db: DatabaseSync, profileId: number) {
    this.#db = db;
    this.#profileId = profileId;
  }

  add({ username, mine, time, text: said }: PrivateLine): void {
    this.#db
      .prepare("INSERT INTO private_lines (profile_id, username, mine, time, text) VALUES (?, ?, ?, ?, ?)")
      .run(this.#profileId, username, mine ? 1 : 0, time.getTime(), said);
  }

  /** The newest lines with that user, oldest first. */
  last(username: string, limit: number): PrivateLine[] {
    return this.#db
      .prepare(
        "SELECT * FROM private_lines WHERE profile_id = ? AND username = ? ORDER BY line_id DESC LIMIT ?",
      )
      .all(this.#profileId, username, limit)
      .reverse()
      .map((row) => ({
        username: text(row, "username"),
        mine: integer(row, "mine") === 1,
        time: new Date(integer(row, "time")),
        text: text(row, "text"),
      }));
  }

  /** Forgets what was said with that user, and what is left of anything that was forgotten before. */
  forget(username: string): Forgotten {
    const sql = "DELETE FROM private_lines WHERE profile_id = ? AND username = ?";
    const { changes } = this.#db.prepare(sql).run(this.#profileId, username);
    return { lines: Number(changes), isGone: scrub(this.#db) };
  }
}
