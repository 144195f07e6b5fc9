// The lines of private chats that the user wants to keep, stored on this device.
import type { DatabaseSync } from "node:sqlite";
import { scrub } from "./database.ts";
import { integer, text } from "./rows.ts";

export interface PrivateLine {
  readonly username: string;
  readonly mine: boolean;
  readonly time: Date;
  readonly text: string;
}

export interface Deletion {
  readonly lines: number;
  /**
   * No data of the lines is left in the state file and its log. False if another process was using the file; repeat
   * the deletion then.
   */
  readonly isGone: boolean;
}

export class PrivateLines {
  readonly #db: DatabaseSync;
  readonly #profileId: number;

  constructor(db: DatabaseSync, profileId: number) {
    this.#db = db;
    this.#profileId = profileId;
  }

  add({ username, mine, time, text: content }: PrivateLine): void {
    this.#db
      .prepare("INSERT INTO private_lines (profile_id, username, mine, time, text) VALUES (?, ?, ?, ?, ?)")
      .run(this.#profileId, username, mine ? 1 : 0, time.getTime(), content);
  }

  /** The newest lines with the user, oldest first. */
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

  /** Deletes the lines with the user, and the remaining data of earlier deletions. */
  forget(username: string): Deletion {
    const sql = "DELETE FROM private_lines WHERE profile_id = ? AND username = ?";
    const { changes } = this.#db.prepare(sql).run(this.#profileId, username);
    return { lines: Number(changes), isGone: scrub(this.#db) };
  }
}
