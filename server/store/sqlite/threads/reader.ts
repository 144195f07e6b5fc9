// Reads on one read-only connection. Each read sees one state of the data, and its answer names that state.
import { type Database, isBusy, isStorageFailure, openDatabase } from "../database/database.ts";
import { isDamage } from "../database/refused.ts";
import { commitNumber } from "../operations/heads.ts";
import type { PackedEntries } from "../operations/log/entries.ts";
import { type OperationCall, perform } from "../operations/operations.ts";
import { damageOf } from "./damage.ts";
import type { ReadAnswer, ReaderOptions } from "./messages.ts";
import type { Role } from "./request-loop.ts";

export class Reader implements Disposable {
  readonly #database: Database;

  constructor(file: string) {
    this.#database = openDatabase({ file, readOnly: true });
  }

  read(call: OperationCall): ReadAnswer {
    try {
      return this.#database.snapshot(() => {
        const group = this.#database.get<{ number: number | null }>(`SELECT ${commitNumber} AS number`);
        if (group?.number == null) throw new Error("the row of the table server is missing");
        return { ok: true, group: group.number, value: perform(this.#database, call) };
      });
    } catch (error) {
      const failure = isDamage(error)
        ? "damaged"
        : isStorageFailure(error) || isBusy(error)
          ? "unavailable"
          : "wrong";
      return { ok: false, failure, message: error instanceof Error ? error.message : String(error) };
    }
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }
}

/** Handles the requests to the reader. */
export function readerRole({ file }: ReaderOptions): Role {
  let reader: Reader | undefined;
  return {
    open() {
      reader = new Reader(file);
      return undefined;
    },
    take(request, send) {
      if (request.type !== "read") throw new Error(`the reader received a request of type ${request.type}`);
      if (reader === undefined) throw new Error("the reader received a read before the database was opened");
      const answer = reader.read(request.call);
      if (!answer.ok && answer.failure === "damaged") send(damageOf(file, request.call, answer.message));
      for (const damage of damagedIn(answer)) {
        send({ type: "problem", problem: { kind: "damaged", message: `${file} is damaged: ${damage}` } });
      }
      send({ type: "read", id: request.id, answer }, buffersOf(answer));
    },
    close() {
      reader?.[Symbol.dispose]();
    },
  };
}

/** The buffers of an answer, which are transferred instead of copied. */
function buffersOf(answer: ReadAnswer): ArrayBuffer[] {
  if (!answer.ok || !isPackedEntries(answer.value)) return [];
  return [answer.value.fields.buffer, answer.value.contents.buffer];
}

/** What is wrong with entries that the answer leaves out. */
function damagedIn(answer: ReadAnswer): readonly string[] {
  if (!answer.ok || typeof answer.value !== "object" || answer.value === null) return [];
  return "damaged" in answer.value ? (answer.value as PackedEntries).damaged : [];
}

function isPackedEntries(value: unknown): value is PackedEntries {
  return (
    typeof value === "object" && value !== null && "fields" in value && value.fields instanceof Float64Array
  );
}
