// The rules of introductions: which users may be asked for a private chat, and how a question ends. It MUST:
//  1. end each question exactly once: with the first acceptance, a refusal, the loss of the last program that could
//     answer, its time-out, or its withdrawal by the caller;
//  2. give addresses only to the caller, and only if both users allow a direct path;
//  3. keep a bounded number of questions, and of a question that has ended only its id and a message;
//  4. limit how often one user asks another.
import { randomBytes } from "node:crypto";
import { IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import type {
  AnswerIntroductionRequest,
  Asked,
  IntroduceRequest,
  Introduction,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Clock } from "../../time/clock.ts";
import type { NodeBus } from "../bus/node-bus.ts";
import type { Presence } from "../chat/presence/presence.ts";
import type { UserCache } from "../chat/user-cache.ts";
import type { ConnectedStream } from "../client-manager.ts";
import { Refusal } from "../reasons.ts";
import type { PeerDeviceRow, SessionRow, UserRow } from "../store/store.ts";
import { AskingRate } from "./asking-rate.ts";
import { closed, requested, toDuration, withoutAnswer } from "./introduction-events.ts";
import { InvitationAnswers, type InvitationAnswersParts } from "./invitation-answers.ts";
import { LeavingPrograms } from "./leaving-programs.ts";
import { checkMayAsk } from "./may-ask.ts";
import { type PendingInvitation, PendingInvitations } from "./pending-invitations.ts";
import { keyOfProgram, type Program, Subscribers } from "./subscribers.ts";

export interface IntroductionTimes {
  /** How long a question waits for its answer, ms. */
  readonly timeoutMs: number;
  /** How long an accepted introduction is valid, ms. */
  readonly lifetimeMs: number;
}

export interface IntroductionsParts extends Omit<InvitationAnswersParts, "invitations" | "lifetimeMs"> {
  readonly users: UserCache;
  readonly presence: Presence;
  readonly bus: NodeBus;
  readonly times: IntroductionTimes;
  /** How long a program may have no stream before it no longer counts as online, ms. */
  readonly graceMs: number;
  /** How often one user may ask another each minute. */
  readonly perMinute: number;
  readonly clock: Clock;
}

/** A question that was asked. */
export interface Asking {
  readonly asked: Asked;
  /** Resolves with the introduction, or with the reason why there is none. Never rejects. */
  readonly end: Promise<Introduction | Refusal>;
  /** Withdraws the question if it has not ended. */
  takeBack(): void;
}

export class Introductions {
  readonly #parts: IntroductionsParts;
  readonly #subscribers = new Subscribers();
  readonly #leaving: LeavingPrograms;
  readonly #invitations: PendingInvitations;
  readonly #answers: InvitationAnswers;
  readonly #rate: AskingRate;

  constructor(parts: IntroductionsParts) {
    const { bus, presence, times, graceMs, perMinute, clock } = parts;
    this.#parts = parts;
    const invitations = new PendingInvitations(bus);
    this.#invitations = invitations;
    this.#answers = new InvitationAnswers({ ...parts, invitations, lifetimeMs: times.lifetimeMs });
    this.#rate = new AskingRate(perMinute, clock);
    const onGone = (userId: number, gone: Program): void =>
      invitations.removePrograms(userId, (program) => keyOfProgram(program) === keyOfProgram(gone));
    this.#leaving = new LeavingPrograms(graceMs, onGone, clock);
    presence.onSessionGone((userId, sessionId) =>
      invitations.removePrograms(userId, (program) => program.sessionId === sessionId),
    );
  }

  /** Call it when a program has left deliberately: it does not answer any more, unless it still has a stream. */
  programLeft(userId: number, program: Program): void {
    this.#leaving.leftForGood(userId, program);
  }

  /**
   * Sends introductions to the stream until the result is disposed of, starting with those that wait for an answer. The
   * calling code must check that the device has a certificate.
   */
  subscribe(
    stream: Pick<ConnectedStream, "deliver">,
    { user, sessionId, deviceId }: SessionRow,
    processId: string,
  ): Disposable {
    const { userId } = user;
    const program = { sessionId, processId };
    const subscription = this.#subscribers.add({ userId, deviceId, ...program });
    this.#leaving.cameBack(program);
    for (const invitation of this.#invitations.ofCallee(userId)) {
      if (invitation.passed.has(keyOfProgram(program))) continue;
      invitation.asked.add(deviceId);
      invitation.online.set(keyOfProgram(program), program);
      stream.deliver(requested(invitation, this.#parts.clock.monotonic()));
    }
    return {
      [Symbol.dispose]: () => {
        subscription[Symbol.dispose]();
        if (this.#subscribers.has(userId, program)) return;
        this.#parts.chats.forgetProgram(userId, program);
        this.#leaving.left(userId, program);
      },
    };
  }

  /** Whether this program of the session has a subscribed stream. */
  isSubscribed({ user, sessionId }: SessionRow, processId: string): boolean {
    return this.#subscribers.has(user.userId, { sessionId, processId });
  }

  /** Ends an accepted introduction because one of its devices could not connect, and notifies both users. */
  fail({ deviceId }: SessionRow, id: string): void {
    const { agreements, chats, bus } = this.#parts;
    const agreement = agreements.find(id, deviceId);
    if (agreement === undefined) return;
    agreements.delete(id);
    const [caller, callee] = agreement.userIds;
    chats.dropAgreed(caller, callee, id);
    chats.dropAgreed(callee, caller, id);
    const failed = closed(id, withoutAnswer(IntroductionOutcome.FAILED));
    for (const userId of agreement.userIds) bus.publish(`user:${userId}`, failed);
  }

  /**
   * @throws Refusal DEVICE_KEY_MISSING, USER_NOT_FOUND, RECIPIENT_IS_SELF, BLOCKED_BY_RECIPIENT, PRIVATE_CHAT_OPEN,
   * USER_OFFLINE, PRIVATE_CHAT_UNAVAILABLE, INTRODUCTION_PENDING, RATE_LIMITED; checked in this order
   */
  async ask({ user, sessionId, deviceId }: SessionRow, request: IntroduceRequest): Promise<Asking> {
    const caller = await this.#parts.identities.ownDevice(deviceId);
    const callee = await this.#parts.users.byName(request.username);
    if (callee === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
    if (callee.userId === user.userId) throw new Refusal(Reason.RECIPIENT_IS_SELF, { field: "username" });
    if (await this.#parts.blocks.isBlocking(callee.userId, user.userId)) {
      throw new Refusal(Reason.BLOCKED_BY_RECIPIENT, { field: "username" });
    }
    const isOnline = (await this.#parts.presence.onlineSessions(callee.userId)) > 0;
    // No await from here on, so that no other question can be added between the checks and this one.
    checkMayAsk(caller, sessionId, callee, {
      ...this.#parts,
      isOnline,
      subscribers: this.#subscribers,
      invitations: this.#invitations,
    });
    const retryDelayMs = this.#rate.take(user.userId, callee.userId);
    if (retryDelayMs > 0) {
      const message = `You have asked ${callee.username} ${this.#parts.perMinute} times within a minute. Wait a moment.`;
      throw new Refusal(Reason.RATE_LIMITED, { field: "username", message, retryDelayMs });
    }
    return this.#invite(caller, { sessionId, processId: request.processId }, callee, request.direct);
  }

  /**
   * @param seen the IP address from which the device calls, without port
   * @returns the introduction for ACCEPT, otherwise undefined
   * @throws Refusal DEVICE_KEY_MISSING, INVALID_FIELD, INTRODUCTION_NOT_FOUND, ALREADY_BLOCKED
   */
  answer(
    row: SessionRow,
    request: AnswerIntroductionRequest,
    seen: string,
  ): Promise<Introduction | undefined> {
    return this.#answers.answer(row, request, seen);
  }

  #invite(caller: PeerDeviceRow, callerProgram: Program, callee: UserRow, direct: boolean): Asking {
    const { bus, clock, times } = this.#parts;
    const subscribers = this.#subscribers.of(callee.userId);
    const { promise: end, resolve: settle } = Promise.withResolvers<Introduction | Refusal>();
    const endWithoutAnswer = (refusal: Refusal, outcome: IntroductionOutcome): void =>
      this.#invitations.end(invitation, refusal, withoutAnswer(outcome));
    const invitation: PendingInvitation = {
      id: randomBytes(16).toString("base64url"),
      caller,
      callerProgram,
      callee,
      direct,
      until: clock.monotonic() + times.timeoutMs,
      timer: clock.after(times.timeoutMs, () =>
        endWithoutAnswer(new Refusal(Reason.INTRODUCTION_UNANSWERED), IntroductionOutcome.UNANSWERED),
      ),
      asked: new Set([...subscribers].map((subscriber) => subscriber.deviceId)),
      passed: new Set(),
      hasPass: false,
      online: new Map([...subscribers].map((subscriber) => [keyOfProgram(subscriber), subscriber])),
      settle,
    };
    this.#invitations.add(invitation);
    bus.publish(`user:${callee.userId}`, requested(invitation, clock.monotonic()));
    return {
      asked: {
        introductionId: invitation.id,
        devices: invitation.asked.size,
        timeout: toDuration(times.timeoutMs),
      },
      end,
      takeBack: () => endWithoutAnswer(new Refusal(Reason.CANCELLED), IntroductionOutcome.TAKEN_BACK),
    };
  }
}
