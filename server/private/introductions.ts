// The rules of introductions: who may ask whom for a private chat, who may answer, and how a question ends. It MUST:
//  1. end each question once: by the first yes, a no, the lack of anybody who could answer, the time, or its caller;
//  2. give addresses to nobody but the caller, and only where both sides allow a direct path;
//  3. hold no more questions than its bounds, and nothing of one that is over but its id and a sentence;
//  4. let nobody ask somebody more often than its rate.
import { randomBytes } from "node:crypto";
import { IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import {
  Answer,
  type AnswerIntroductionRequest,
  type Asked,
  type IntroduceRequest,
  type Introduction,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { Identities } from "../auth/identities.ts";
import { toPeerDevice } from "../auth/user-messages.ts";
import type { Bus } from "../bus/bus.ts";
import type { Presence } from "../chat/presence.ts";
import type { Users } from "../chat/users.ts";
import type { ConnectedStream } from "../client-manager.ts";
import { Refusal } from "../reasons.ts";
import type { BlockStore, IdentityStore, PeerDeviceRow, SessionRow, UserRow } from "../store/store.ts";
import type { Agreements } from "./agreements.ts";
import { AskingRate } from "./asking-rate.ts";
import { directAddresses } from "./direct-addresses.ts";
import {
  answeredBy,
  type Closing,
  closed,
  nobodyAnswered,
  requested,
  toDuration,
} from "./introduction-events.ts";
import { LeavingPrograms } from "./leaving-programs.ts";
import { checkMayAsk } from "./may-ask.ts";
import { nameOfOwn, type OpenChats } from "./open-chats.ts";
import { type PendingInvitation, PendingInvitations } from "./pending-invitations.ts";
import { keyOfProgram, type Program, Subscribers } from "./subscribers.ts";

export interface IntroductionTimes {
  /** How long a question waits for its answer. */
  readonly timeoutMs: number;
  /** How long an introduction is good for from the yes on. */
  readonly lifetimeMs: number;
}

export interface IntroductionsParts {
  readonly identities: Identities;
  readonly store: Pick<IdentityStore, "peerDevice">;
  readonly blocks: Pick<BlockStore, "isBlocking">;
  readonly users: Users;
  readonly presence: Presence;
  readonly chats: OpenChats;
  readonly agreements: Agreements;
  readonly bus: Bus;
  readonly times: IntroductionTimes;
  /** How long a program whose stream was lost may take to come back before it does not count any more. */
  readonly graceMs: number;
  /** How often one user may ask another. */
  readonly perMinute: number;
  readonly clock?: Clock | undefined;
}

/** A question that was asked. */
export interface Asking {
  readonly asked: Asked;
  /** How it ends; never rejects. */
  readonly end: Promise<Introduction | Refusal>;
  /** Ends it, if it has not ended. */
  takeBack(): void;
}

export class Introductions {
  readonly #parts: IntroductionsParts;
  readonly #clock: Clock;
  readonly #subscribers = new Subscribers();
  readonly #leaving: LeavingPrograms;
  readonly #invitations = new PendingInvitations();
  readonly #rate: AskingRate;

  constructor(parts: IntroductionsParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#rate = new AskingRate(parts.perMinute, this.#clock);
    this.#leaving = new LeavingPrograms(
      parts.graceMs,
      (userId, program) => this.#gone(userId, (of) => keyOfProgram(of) === keyOfProgram(program)),
      this.#clock,
    );
    parts.presence.onSessionGone((userId, sessionId) =>
      this.#gone(userId, (of) => of.sessionId === sessionId),
    );
  }

  /**
   * The stream takes introductions until the result is disposed of, and is told those that wait for an answer.
   * Its device has a certificate.
   */
  take(
    stream: Pick<ConnectedStream, "deliver">,
    { user, sessionId, deviceId }: SessionRow,
    processId: string,
  ): Disposable {
    const { userId } = user;
    const program = { sessionId, processId };
    const taking = this.#subscribers.enter({ userId, deviceId, ...program });
    this.#leaving.cameBack(program);
    for (const invitation of this.#invitations.ofCallee(userId)) {
      if (invitation.passed.has(keyOfProgram(program))) continue;
      invitation.asked.add(deviceId);
      invitation.online.set(keyOfProgram(program), program);
      stream.deliver(requested(invitation, this.#clock.monotonic()));
    }
    return {
      [Symbol.dispose]: () => {
        taking[Symbol.dispose]();
        if (this.#subscribers.has(userId, program)) return;
        this.#parts.chats.forgetProgram(userId, program);
        this.#leaving.left(userId, program);
      },
    };
  }

  /** Whether that program of the session takes introductions. */
  isTaking({ user, sessionId }: SessionRow, processId: string): boolean {
    return this.#subscribers.has(user.userId, { sessionId, processId });
  }

  /** What was answered yes came to nothing on one of its two devices: it is over, and the other one is told. */
  fail({ deviceId }: SessionRow, id: string): void {
    const { agreements, chats, bus } = this.#parts;
    const agreement = agreements.find(id, deviceId);
    if (agreement === undefined) return;
    agreements.delete(id);
    const [caller, callee] = agreement.userIds;
    chats.disagree(caller, callee, id);
    chats.disagree(callee, caller, id);
    const told = closed(id, nobodyAnswered(IntroductionOutcome.FAILED));
    for (const userId of agreement.userIds) bus.publish(`user:${userId}`, told);
  }

  /**
   * @throws Refusal DEVICE_KEY_MISSING, USER_NOT_FOUND, RECIPIENT_IS_SELF, BLOCKED_BY_RECIPIENT, PRIVATE_CHAT_OPEN,
   * USER_OFFLINE, PRIVATE_CHAT_UNAVAILABLE, INTRODUCTION_PENDING, RATE_LIMITED; looked for in this order
   */
  async ask({ user, sessionId, deviceId }: SessionRow, request: IntroduceRequest): Promise<Asking> {
    const caller = await this.#parts.identities.ownDevice(deviceId);
    const callee = await this.#parts.users.byName(request.username);
    if (callee === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
    if (callee.userId === user.userId) throw new Refusal(Reason.RECIPIENT_IS_SELF, { field: "username" });
    if (await this.#parts.blocks.isBlocking(callee.userId, user.userId)) {
      throw new Refusal(Reason.BLOCKED_BY_RECIPIENT, { field: "username" });
    }
    // From here to the end in one turn: nobody else can ask in between.
    checkMayAsk(caller, sessionId, callee, {
      ...this.#parts,
      subscribers: this.#subscribers,
      invitations: this.#invitations,
    });
    const retryDelayMs = this.#rate.take(user.userId, callee.userId);
    if (retryDelayMs > 0) {
      const message = `You have asked ${callee.username} ${this.#parts.perMinute} times within a minute. Wait a moment.`;
      throw new Refusal(Reason.RATE_LIMITED, { field: "username", message, retryDelayMs });
    }
    return this.#invitation(caller, { sessionId, processId: request.processId }, callee, request.direct);
  }

  /**
   * @param seen the address from which the device calls, without port
   * @returns on yes. @throws Refusal DEVICE_KEY_MISSING, INVALID_FIELD, INTRODUCTION_NOT_FOUND, ALREADY_BLOCKED
   */
  async answer(
    row: SessionRow,
    request: AnswerIntroductionRequest,
    seen: string,
  ): Promise<Introduction | undefined> {
    const own = await this.#parts.identities.ownDevice(row.deviceId);
    switch (request.answer) {
      case Answer.ACCEPT:
        return this.#accept(row, own, request, directAddresses(request, seen));
      case Answer.REFUSE:
        this.#refuse(programOf(row, request), own, this.#find(row, request));
        return undefined;
      case Answer.PASS: {
        const invitation = this.#find(row, request);
        const program = keyOfProgram(programOf(row, request));
        // One that was not told of it leaves nothing to anybody.
        if (invitation.online.has(program)) {
          invitation.passed.add(program);
          invitation.isPassed = true;
        }
        this.#endIfNobodyIsLeft(invitation);
        return undefined;
      }
      default:
        throw new Refusal(Reason.INVALID_FIELD, { field: "answer", message: "Accept, refuse, or pass." });
    }
  }

  #invitation(caller: PeerDeviceRow, callerProgram: Program, callee: UserRow, direct: boolean): Asking {
    const { timeoutMs } = this.#parts.times;
    const subscribers = this.#subscribers.of(callee.userId);
    const { promise: end, resolve: settle } = Promise.withResolvers<Introduction | Refusal>();
    const invitation: PendingInvitation = {
      id: randomBytes(16).toString("base64url"),
      caller,
      callerProgram,
      callee,
      direct,
      until: this.#clock.monotonic() + timeoutMs,
      timer: this.#clock.after(timeoutMs, () => {
        const outcome = IntroductionOutcome.UNANSWERED;
        this.#end(invitation, new Refusal(Reason.INTRODUCTION_UNANSWERED), nobodyAnswered(outcome));
      }),
      asked: new Set([...subscribers].map((subscriber) => subscriber.deviceId)),
      passed: new Set(),
      isPassed: false,
      online: new Map([...subscribers].map((subscriber) => [keyOfProgram(subscriber), subscriber])),
      settle,
    };
    this.#invitations.add(invitation);
    this.#parts.bus.publish(`user:${callee.userId}`, requested(invitation, this.#clock.monotonic()));
    return {
      asked: {
        introductionId: invitation.id,
        devices: invitation.asked.size,
        timeout: toDuration(timeoutMs),
      },
      end,
      takeBack: () => {
        const outcome = IntroductionOutcome.TAKEN_BACK;
        this.#end(invitation, new Refusal(Reason.CANCELLED), nobodyAnswered(outcome));
      },
    };
  }

  async #accept(
    row: SessionRow,
    own: PeerDeviceRow,
    request: AnswerIntroductionRequest,
    addresses: string[],
  ): Promise<Introduction> {
    const { blocks, store, agreements, chats, times } = this.#parts;
    const invitation = this.#find(row, request);
    const { callee } = invitation;
    const program = programOf(row, request);
    const isBlocking = await blocks.isBlocking(callee.userId, invitation.caller.user.userId);
    // As it is by now: the keys may be others than when it was asked.
    const caller = await store.peerDevice(invitation.caller.device.deviceId);
    // Another device may have been faster meanwhile; from here to the end in one turn.
    this.#find(row, request);
    if (caller === undefined) {
      this.#end(
        invitation,
        new Refusal(Reason.DEVICE_KEY_MISSING),
        nobodyAnswered(IntroductionOutcome.TAKEN_BACK),
      );
      throw notFound();
    }
    if (isBlocking) {
      this.#refuse(program, own, invitation, new Refusal(Reason.BLOCKED_BY_RECIPIENT));
      const message = `You block ${caller.user.username}: unblock first, then ask for a private chat yourself.`;
      throw new Refusal(Reason.ALREADY_BLOCKED, { message });
    }
    const direct = invitation.direct && request.direct;
    const common = { introductionId: invitation.id, direct, lifetime: toDuration(times.lifetimeMs) };
    const userIds = [caller.user.userId, callee.userId] as const;
    const deviceIds = [caller.device.deviceId, row.deviceId] as const;
    agreements.add({ id: invitation.id, userIds, deviceIds }, times.lifetimeMs);
    const agreed = {
      introductionId: invitation.id,
      program: invitation.callerProgram,
      device: caller.device,
    };
    chats.agree(...userIds, agreed, times.lifetimeMs);
    chats.agree(
      callee.userId,
      caller.user.userId,
      { introductionId: invitation.id, program, device: own.device },
      times.lifetimeMs,
    );
    this.#invitations.remember(invitation, `Answered on ${nameOfOwn(own.device.deviceName)} already: yes.`);
    this.#end(
      invitation,
      { ...common, peer: toPeerDevice(own), addresses: direct ? addresses : [] },
      answeredBy(program, own, IntroductionOutcome.ACCEPTED_ELSEWHERE),
    );
    return { ...common, peer: toPeerDevice(caller), addresses: [] };
  }

  #refuse(
    program: Program,
    own: PeerDeviceRow,
    invitation: PendingInvitation,
    refusal = new Refusal(Reason.INTRODUCTION_REFUSED),
  ): void {
    this.#invitations.remember(invitation, `Answered on ${nameOfOwn(own.device.deviceName)} already: no.`);
    this.#end(invitation, refusal, answeredBy(program, own, IntroductionOutcome.REFUSED_ELSEWHERE));
  }

  /** @throws Refusal INTRODUCTION_NOT_FOUND: it is over, or this program may not answer */
  #find(row: SessionRow, { introductionId, processId }: AnswerIntroductionRequest): PendingInvitation {
    const { user, deviceId } = row;
    const invitation = this.#invitations.get(introductionId);
    const program = keyOfProgram(programOf(row, { processId }));
    const mayAnswer =
      invitation?.callee.userId === user.userId &&
      invitation.asked.has(deviceId) &&
      !invitation.passed.has(program);
    if (invitation !== undefined && mayAnswer) return invitation;
    throw notFound(this.#invitations.answerTo(introductionId, user.userId));
  }

  /** These programs of the user are not there any more. */
  #gone(userId: number, isGone: (program: Program) => boolean): void {
    for (const invitation of [...this.#invitations.ofCallee(userId)]) {
      const gone = [...invitation.online].filter(([, program]) => isGone(program));
      for (const [key] of gone) {
        invitation.online.delete(key);
        invitation.passed.delete(key);
      }
      if (gone.length > 0) this.#endIfNobodyIsLeft(invitation);
    }
  }

  #endIfNobodyIsLeft(invitation: PendingInvitation): void {
    for (const key of invitation.online.keys()) if (!invitation.passed.has(key)) return;
    const reason = invitation.isPassed ? Reason.INTRODUCTION_REFUSED : Reason.USER_OFFLINE;
    this.#end(invitation, new Refusal(reason), undefined);
  }

  /** Does nothing where it has ended. @param closing what the callee's devices are told; undefined: they know */
  #end(invitation: PendingInvitation, end: Introduction | Refusal, closing: Closing | undefined): void {
    if (!this.#invitations.delete(invitation)) return;
    invitation.settle(end);
    if (closing !== undefined)
      this.#parts.bus.publish(`user:${invitation.callee.userId}`, closed(invitation.id, closing));
  }
}

function programOf({ sessionId }: SessionRow, { processId }: { readonly processId: string }): Program {
  return { sessionId, processId };
}

function notFound(message?: string): Refusal {
  return new Refusal(Reason.INTRODUCTION_NOT_FOUND, {
    field: "introduction_id",
    ...(message === undefined ? {} : { message }),
  });
}
