// The processes that use the state file: each writes heartbeats, so that the others can detect its end.
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { transact } from "./database.ts";
import { integer, type Row, text } from "./rows.ts";

export interface ProcessTimes {
  /** The time between heartbeats, ms. */
  readonly heartbeatMs: number;
  /**
   * The time without a heartbeat after which a process counts as ended, ms. Its pid may still exist, because pids are
   * reused.
   */
  readonly staleMs: number;
}

const defaultTimes: ProcessTimes = { heartbeatMs: 5_000, staleMs: 60_000 };

/**
 * The registration of this process. It is harmless if other processes mistakenly consider it ended, for example after
 * the machine was asleep: when two processes send the same message, the server stores it once, because of its id.
 */
export class ProcessRegistration implements Disposable {
  readonly processId = `${process.pid}-${randomBytes(6).toString("hex")}`;
  readonly #db: DatabaseSync;
  readonly #times: ProcessTimes;
  readonly #timer: NodeJS.Timeout;
  readonly #onBeat = new Set<() => void>();

  /** @param onProblem called when a heartbeat fails; the next one follows as usual */
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

  /** Calls the listener after each heartbeat. */
  onBeat(listener: () => void): Disposable {
    this.#onBeat.add(listener);
    return { [Symbol.dispose]: () => this.#onBeat.delete(listener) };
  }

  /** The ids of the running processes, including this one. Deletes the rows of ended ones. Call it in a transaction. */
  running(): Set<string> {
    const running = new Set<string>([this.processId]);
    for (const row of this.#db.prepare("SELECT * FROM processes").all()) {
      const processId = text(row, "process_id");
      if (processId === this.processId) continue;
      if (this.#isRunning(row)) running.add(processId);
      else this.#db.prepare("DELETE FROM processes WHERE process_id = ?").run(processId);
    }
    return running;
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

  #isRunning(row: Row): boolean {
    if (Math.abs(Date.now() - integer(row, "heartbeat_time")) > this.#times.staleMs) return false;
    return text(row, "host") !== hostname() || pidExists(integer(row, "pid"));
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
