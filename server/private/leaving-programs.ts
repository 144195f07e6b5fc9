// The programs whose last stream has ended. Each may open a new stream within the grace period; after that it is gone.
import type { Clock, Timer } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import { keyOfProgram, type Program } from "./subscribers.ts";

interface LeavingProgram {
  readonly program: Program;
  readonly timer: Timer;
}

export class LeavingPrograms {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #onGone: (userId: number, program: Program) => void;
  /** By session, then by program, in the order in which the programs' last streams ended. */
  readonly #bySession = new Map<number, Map<string, LeavingProgram>>();

  /** @param onGone called with each program whose grace period has passed */
  constructor(graceMs: number, onGone: (userId: number, program: Program) => void, clock: Clock) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#onGone = onGone;
  }

  /** Call it when the last stream of the program has ended. */
  left(userId: number, program: Program): void {
    const gone = (of: Program): void => {
      this.#forget(of);
      this.#onGone(userId, of);
    };
    if (this.#graceMs === 0) {
      gone(program);
      return;
    }
    const timer = this.#clock.after(this.#graceMs, () => gone(program));
    const ofSession = this.#bySession.get(program.sessionId) ?? new Map<string, LeavingProgram>();
    this.#bySession.set(program.sessionId, ofSession);
    ofSession.set(keyOfProgram(program), { program, timer });
    const [oldest] = ofSession.values();
    if (ofSession.size > limits.leavingPrograms && oldest !== undefined) gone(oldest.program);
  }

  /** Call it when the program has left deliberately: if its last stream has ended, its grace period ends too. */
  leftForGood(userId: number, program: Program): void {
    if (this.#bySession.get(program.sessionId)?.has(keyOfProgram(program)) !== true) return;
    this.#forget(program);
    this.#onGone(userId, program);
  }

  /** Call it when the program has a stream again. */
  cameBack(program: Program): void {
    this.#forget(program);
  }

  #forget(program: Program): void {
    const ofSession = this.#bySession.get(program.sessionId);
    const key = keyOfProgram(program);
    ofSession?.get(key)?.timer[Symbol.dispose]();
    ofSession?.delete(key);
    if (ofSession?.size === 0) this.#bySession.delete(program.sessionId);
  }
}
