// The introductions that wait for an answer, found by id, by the two users, by the callee and by who asks; and for a while
// what became of those that were answered.
import type { Introduction } from "../../gen/parley/chat/v1/introduction_service.ts";
import { limits } from "../limits.ts";
import type { Refusal } from "../reasons.ts";
import type { PeerDeviceRow, UserRow } from "../store/store.ts";
import type { Program } from "./takers.ts";

export interface Ring {
  readonly id: string;
  readonly caller: PeerDeviceRow;
  readonly callerProgram: Program;
  readonly callee: UserRow;
  /** The caller allows a direct path. */
  readonly direct: boolean;
  /** By performance.now(), ms. */
  readonly until: number;
  readonly timer: NodeJS.Timeout;
  /** The callee's devices that were told, and may answer for as long as the introduction lasts. */
  readonly asked: Set<number>;
  /** The programs that are there and leave it to the others, by their keys. */
  readonly passed: Set<string>;
  /** One has left it to the others, be it there or gone. */
  isPassed: boolean;
  /** The callee's programs that were told and are there, or were within their grace, by their keys. */
  readonly online: Map<string, Program>;
  /** Tells the caller how it ended. */
  readonly settle: (end: Introduction | Refusal) => void;
}

export class Ringing {
  readonly #byId = new Map<string, Ring>();
  readonly #byUsers = new Map<string, Ring>();
  readonly #byCallee = new Map<number, Set<Ring>>();
  readonly #bySession = new Map<number, Set<Ring>>();
  /** By id of an introduction that a device answered: whose it was, and what to tell the user's other devices. */
  readonly #answered = new Map<string, { readonly userId: number; readonly message: string }>();

  add(ring: Ring): void {
    this.#byId.set(ring.id, ring);
    this.#byUsers.set(keyOf(ring.caller.user.userId, ring.callee.userId), ring);
    addTo(this.#byCallee, ring.callee.userId, ring);
    addTo(this.#bySession, ring.callerProgram.sessionId, ring);
  }

  /** False where it was gone already. */
  delete(ring: Ring): boolean {
    if (!this.#byId.delete(ring.id)) return false;
    clearTimeout(ring.timer);
    this.#byUsers.delete(keyOf(ring.caller.user.userId, ring.callee.userId));
    deleteFrom(this.#byCallee, ring.callee.userId, ring);
    deleteFrom(this.#bySession, ring.callerProgram.sessionId, ring);
    return true;
  }

  get(id: string): Ring | undefined {
    return this.#byId.get(id);
  }

  /** Whichever of the two asks the other. */
  between(userId: number, otherId: number): Ring | undefined {
    return this.#byUsers.get(keyOf(userId, otherId));
  }

  ofCallee(userId: number): ReadonlySet<Ring> {
    return this.#byCallee.get(userId) ?? new Set();
  }

  ofCallingSession(sessionId: number): ReadonlySet<Ring> {
    return this.#bySession.get(sessionId) ?? new Set();
  }

  /** A device of the callee has answered. */
  remember({ id, callee }: Ring, message: string): void {
    const [oldest] = this.#answered.keys();
    if (this.#answered.size >= limits.answeredIntroductions && oldest !== undefined) {
      this.#answered.delete(oldest);
    }
    this.#answered.set(id, { userId: callee.userId, message });
  }

  /** What is remembered, for its callee alone. */
  answerTo(id: string, userId: number): string | undefined {
    const answered = this.#answered.get(id);
    return answered?.userId === userId ? answered.message : undefined;
  }
}

function keyOf(userId: number, otherId: number): string {
  return `${Math.min(userId, otherId)}:${Math.max(userId, otherId)}`;
}

function addTo(sets: Map<number, Set<Ring>>, key: number, ring: Ring): void {
  const set = sets.get(key) ?? new Set();
  set.add(ring);
  sets.set(key, set);
}

function deleteFrom(sets: Map<number, Set<Ring>>, key: number, ring: Ring): void {
  const set = sets.get(key);
  set?.delete(ring);
  if (set?.size === 0) sets.delete(key);
}
