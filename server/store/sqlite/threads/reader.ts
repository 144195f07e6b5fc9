// Reads on one read-only connection. Each read sees one state of the data and says which.
import { type Database, isBusy, isStorageFailure, openDatabase } from "../database/database.ts";
import { type Call, perform } from "../operations/operations.ts";
import type { ReadAnswer } from "./messages.ts";

export class Reader implements Disposable {
  readonly #database: Database;

  constructor(file: string) {
    this.#database = openDatabase({ file, readOnly: true });
  }

  read(call: Call): ReadAnswer {
    try {
      return this.#database.snapshot(() => {
        const group = this.#database.get<{ number: number }>("SELECT group_number AS number FROM server");
        if (group === undefined) throw new Error("the row of the table server is missing");
        return { ok: true, group: group.number, value: perform(this.#database, call) };
      });
    } catch (error) {
      const unavailable = isStorageFailure(error) || isBusy(error);
      return { ok: false, unavailable, message: error instanceof Error ? error.message : String(error) };
    }
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }
}
