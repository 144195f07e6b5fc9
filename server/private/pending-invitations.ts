// Finds the introductions that wait for an answer by id, pair of users, callee or calling session, and keeps the latest
// answers.
import type { Introduction } from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Timer } from "../../time/clock.ts";
import type { NodeBus } from "../bus/node-bus.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { UserRow } from "../store/store.ts";
import { type Closing, closed, type InvitationFacts } from "./introduction-events.ts";
import type { Program } from "./subscribers.ts";

export interface PendingInvitation extends InvitationFacts {
  readonly callerProgram: Program;
  readonly callee: UserRow;
  readonly timer: Timer;
  /** The callee's devices that received the request. They may answer until the introduction ends. */
  readonly asked: Set<number>;
  /** The keys of the online programs that answered PASS. */
  readonly passed: Set<string>;
  /** Whether at least one program answered PASS, even if it is gone now. */
  hasPass: boolean;
  /** By key: the callee's programs that received the request and are online or in their grace period. */
  readonly online: Map<string, Program>;
  /** Reports the end to the caller. */
  readonly settle: (end: Introduction | Refusal) => void;
}

export class PendingInvitations {
  readonly #bus: NodeBus;
  readonly #byId = new Map<string, PendingInvitation>();
  readonly #byUsers = new Map<string, PendingInvitation>();
  readonly #byCallee = new Map<number, Set<PendingInvitation>>();
  readonly #bySession = new Map<number, Set<PendingInvitation>>();
  /** By id of an answered introduction: the callee, and the message to another device that answers later. */
  readonly #answered = new Map<string, { readonly userId: number; readonly message: string }>();

  constructor(bus: NodeBus) {
    this.#bus = bus;
  }

  add(invitation: PendingInvitation): void {
    this.#byId.set(invitation.id, invitation);
    this.#byUsers.set(keyOf(invitation.caller.user.userId, invitation.callee.userId), invitation);
    addTo(this.#byCallee, invitation.callee.userId, invitation);
    addTo(this.#bySession, invitation.callerProgram.sessionId, invitation);
  }

  /**
   * Ends the invitation; does nothing if it has ended.
   * @param closing what the callee's streams receive; undefined if they need no event
   */
  end(invitation: PendingInvitation, end: Introduction | Refusal, closing: Closing | undefined): void {
    if (!this.#byId.delete(invitation.id)) return;
    const { caller, callee, callerProgram } = invitation;
    invitation.timer[Symbol.dispose]();
    this.#byUsers.delete(keyOf(caller.user.userId, callee.userId));
    deleteFrom(this.#byCallee, callee.userId, invitation);
    deleteFrom(this.#bySession, callerProgram.sessionId, invitation);
    invitation.settle(end);
    if (closing !== undefined) this.#bus.publish(`user:${callee.userId}`, closed(invitation.id, closing));
  }

  /** Ends the invitation if no online program of the callee may still answer it. */
  endIfUnanswerable(invitation: PendingInvitation): void {
    for (const key of invitation.online.keys()) if (!invitation.passed.has(key)) return;
    const reason = invitation.hasPass ? Reason.INTRODUCTION_REFUSED : Reason.USER_OFFLINE;
    this.end(invitation, new Refusal(reason), undefined);
  }

  /** Removes programs of the callee that are gone, and ends the invitations that only they could answer. */
  removePrograms(calleeId: number, isGone: (program: Program) => boolean): void {
    for (const invitation of [...this.ofCallee(calleeId)]) {
      const gone = [...invitation.online].filter(([, program]) => isGone(program));
      for (const [key] of gone) {
        invitation.online.delete(key);
        invitation.passed.delete(key);
      }
      if (gone.length > 0) this.endIfUnanswerable(invitation);
    }
  }

  get(id: string): PendingInvitation | undefined {
    return this.#byId.get(id);
  }

  /** The invitation between two users, in either direction. */
  between(userId: number, otherId: number): PendingInvitation | undefined {
    return this.#byUsers.get(keyOf(userId, otherId));
  }

  ofCallee(userId: number): ReadonlySet<PendingInvitation> {
    return this.#byCallee.get(userId) ?? new Set();
  }

  ofCallingSession(sessionId: number): ReadonlySet<PendingInvitation> {
    return this.#bySession.get(sessionId) ?? new Set();
  }

  /** Stores the message to devices of the callee that answer too late. */
  remember({ id, callee }: PendingInvitation, message: string): void {
    const [oldest] = this.#answered.keys();
    if (this.#answered.size >= limits.answeredIntroductions && oldest !== undefined) {
      this.#answered.delete(oldest);
    }
    this.#answered.set(id, { userId: callee.userId, message });
  }

  /** The message to a device that answers late, if this user is the callee. */
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
