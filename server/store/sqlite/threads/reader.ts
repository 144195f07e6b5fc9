// The reading half of the worker: one read-only connection; each read sees one state and says which.
import { type Database, isBusy, isStorageFailure, openDatabase } from "../database/database.ts";
import type { PackedEntries } from "../operations/entries.ts";
import { type Call, type Operations, operationsOn, perform } from "../operations/operations.ts";

export type ReadAnswer =
  /** `group`: the last group of writes that the read saw. */
  | { ok: true; group: number; value: unknown }
  /** `unavailable`: the data cannot be read now; else the read itself was wrong. */
  | { ok: false; unavailable: boolean; message: string };

export class Reader implements Disposable {
  readonly #database: Database;
  readonly #operations: Operations;

  constructor(file: string) {
    this.#database = openDatabase({ file, readOnly: true });
    this.#operations = operationsOn(this.#database);
  }

  read(call: Call): ReadAnswer {
    try {
      return this.#database.snapshot(() => {
        const group = this.#database.get<{ number: number }>("SELECT group_number AS number FROM server");
        if (group === undefined) throw new Error("the server's own row is missing");
        return { ok: true, group: group.number, value: perform(this.#operations, call) };
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

/** The buffers of an answer that can change hands instead of being copied. */
export function buffersOf(answer: ReadAnswer): ArrayBuffer[] {
  if (!answer.ok || !isPackedEntries(answer.value)) return [];
  return [answer.value.fields.buffer, answer.value.contents.buffer];
}

function isPackedEntries(value: unknown): value is PackedEntries {
  return (
    typeof value === "object" && value !== null && "fields" in value && value.fields instanceof Float64Array
  );
}
