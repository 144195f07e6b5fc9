// Which processes use this state file now: each writes a heartbeat, so that the others can tell when it is gone.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { transact } from "./database.ts";
import { integer, type Row, text } from "./rows.ts";

export interface ProcessTimes {
  /** How often a process says that it lives, ms. */
  readonly heartbeatMs: number;
  /** After how long a silence it counts as gone although its pid exists (which may be another's by now), ms. */
  readonly staleMs: number;
}

const defaultTimes: ProcessTimes = { heartbeatMs: 5_000, staleMs: 60_000 };

/**
 * This process's entry among the living. Being taken for dead is harmless (after a sleep of the machine, say): sends
 * are told apart by their ids, so that what two processes send is stored once.
 */
export class LivingProcess implements Disposable {
  readonly processId = `${process.pid}-${randomBytes(6).toString("hex")}`;
  readonly #db: DatabaseSync;
  readonly #times: ProcessTimes;
  readonly #timer: NodeJS.Timeout;
  readonly #onBeat = new Set<() => void>();

  /** `onProblem` hears of a heartbeat that failed; the next one comes in time. */
  constructor(db: DatabaseSync, onProblem: (error: Error) => void, times: ProcessTimes = defaultTimes) {
    this.#db = db;
    this.#times = times;
    this.#beat();
    this.#timer = setInterval(() => {
      try {
        this.#beat();
        for (const listener of this.#onBeat) listener();
      } catch (error) {
        onProblem(error instanceof Error ? error : new Error(String(error)));
      }
    }, times.heartbeatMs);
    this.#timer.unref();
  }

  /** Calls back after every heartbeat. */
  onBeat(listener: () => void): Disposable {
    this.#onBeat.add(listener);
    return { [Symbol.dispose]: () => this.#onBeat.delete(listener) };
  }

  /** The processes that live, this one among them. Forgets the others. Call it inside a transaction. */
  living(): Set<string> {
    const living = new Set<string>([this.processId]);
    for (const row of this.#db.prepare("SELECT * FROM processes").all()) {
      const processId = text(row, "process_id");
      if (processId === this.processId) continue;
      if (this.#isAlive(row)) living.add(processId);
      else this.#db.prepare("DELETE FROM processes WHERE process_id = ?").run(processId);
    }
    return living;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#onBeat.clear();
    this.#db.prepare("DELETE FROM processes WHERE process_id = ?").run(this.processId);
  }

  #beat(): void {
    transact(this.#db, () => {
      this.#db
        .prepare(
          `INSERT INTO processes (process_id, pid, host, heartbeat_time) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET heartbeat_time = excluded.heartbeat_time`,
        )
        .run(this.processId, process.pid, hostname(), Date.now());
    });
  }

  #isAlive(row: Row): boolean {
    if (Math.abs(Date.now() - integer(row, "heartbeat_time")) > this.#times.staleMs) return false;
    return text(row, "host") !== hostname() || pidExists(integer(row, "pid"));
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and is another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
