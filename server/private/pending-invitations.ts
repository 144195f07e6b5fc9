// The introductions that wait for an answer, found by id, by the two users, by the callee and by who asks; and for a while
// what became of those that were answered.
import type { Introduction } from "../../gen/parley/chat/v1/introduction_service.ts";
import type { Timer } from "../../time/clock.ts";
import { limits } from "../limits.ts";
import type { Refusal } from "../reasons.ts";
import type { PeerDeviceRow, UserRow } from "../store/store.ts";
import type { Program } from "./subscribers.ts";

export interface PendingInvitation {
  readonly id: string;
  readonly caller: PeerDeviceRow;
  readonly callerProgram: Program;
  readonly callee: UserRow;
  /** The caller allows a direct path. */
  readonly direct: boolean;
  /** By the monotonic clock, ms. */
  readonly until: number;
  readonly timer: Timer;
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

export class PendingInvitations {
  readonly #byId = new Map<string, PendingInvitation>();
  readonly #byUsers = new Map<string, PendingInvitation>();
  readonly #byCallee = new Map<number, Set<PendingInvitation>>();
  readonly #bySession = new Map<number, Set<PendingInvitation>>();
  /** By id of an introduction that a device answered: whose it was, and what to tell the user's other devices. */
  readonly #answered = new Map<string, { readonly userId: number; readonly message: string }>();

  add(invitation: PendingInvitation): void {
    this.#byId.set(invitation.id, invitation);
    this.#byUsers.set(keyOf(invitation.caller.user.userId, invitation.callee.userId), invitation);
    addTo(this.#byCallee, invitation.callee.userId, invitation);
    addTo(this.#bySession, invitation.callerProgram.sessionId, invitation);
  }

  /** False where it was gone already. */
  delete(invitation: PendingInvitation): boolean {
    if (!this.#byId.delete(invitation.id)) return false;
    invitation.timer[Symbol.dispose]();
    this.#byUsers.delete(keyOf(invitation.caller.user.userId, invitation.callee.userId));
    deleteFrom(this.#byCallee, invitation.callee.userId, invitation);
    deleteFrom(this.#bySession, invitation.callerProgram.sessionId, invitation);
    return true;
  }

  get(id: string): PendingInvitation | undefined {
    return this.#byId.get(id);
  }

  /** Whichever of the two asks the other. */
  between(userId: number, otherId: number): PendingInvitation | undefined {
    return this.#byUsers.get(keyOf(userId, otherId));
  }

  ofCallee(userId: number): ReadonlySet<PendingInvitation> {
    return this.#byCallee.get(userId) ?? new Set();
  }

  ofCallingSession(sessionId: number): ReadonlySet<PendingInvitation> {
    return this.#bySession.get(sessionId) ?? new Set();
  }

  /** A device of the callee has answered. */
  remember({ id, callee }: PendingInvitation, message: string): void {
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

function addTo(sets: Map<number, Set<PendingInvitation>>, key: number, invitation: PendingInvitation): void {
  const set = sets.get(key) ?? new Set();
  set.add(invitation);
  sets.set(key, set);
}

function deleteFrom(
  sets: Map<number, Set<PendingInvitation>>,
  key: number,
  invitation: PendingInvitation,
): void {
  const set = sets.get(key);
  set?.delete(invitation);
  if (set?.size === 0) sets.delete(key);
}
