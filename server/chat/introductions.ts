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
import type { Identities } from "../auth/identities.ts";
import { toPeerDevice } from "../auth/identity-messages.ts";
import type { Bus } from "../bus/bus.ts";
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
import type { Presence } from "./presence.ts";
import { nameOfOwn, type PrivateChats } from "./private-chats.ts";
import { type Ring, Ringing } from "./ringing.ts";
import { keyOfProgram, type Program, Takers } from "./takers.ts";
import type { Users } from "./users.ts";

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
  readonly chats: PrivateChats;
  readonly agreements: Agreements;
  readonly bus: Bus;
  readonly times: IntroductionTimes;
  /** How long a program whose stream was lost may take to come back before it does not count any more. */
  readonly graceMs: number;
  /** How often one user may ask another. */
  readonly perMinute: number;
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
  readonly #takers = new Takers();
  readonly #leaving: LeavingPrograms;
  readonly #ringing = new Ringing();
  readonly #rate: AskingRate;

  constructor(parts: IntroductionsParts) {
    this.#parts = parts;
    this.#rate = new AskingRate(parts.perMinute);
    this.#leaving = new LeavingPrograms(parts.graceMs, (userId, program) =>
      this.#gone(userId, (of) => keyOfProgram(of) === keyOfProgram(program)),
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
    const taking = this.#takers.enter({ userId, deviceId, ...program });
    this.#leaving.cameBack(program);
    for (const ring of this.#ringing.ofCallee(userId)) {
      if (ring.passed.has(keyOfProgram(program))) continue;
      ring.asked.add(deviceId);
      ring.online.set(keyOfProgram(program), program);
      stream.deliver(requested(ring));
    }
    return {
      [Symbol.dispose]: () => {
        taking[Symbol.dispose]();
        if (this.#takers.has(userId, program)) return;
        this.#parts.chats.forgetProgram(userId, program);
        this.#leaving.left(userId, program);
      },
    };
  }

  /** Whether that program of the session takes introductions. */
  isTaking({ user, sessionId }: SessionRow, processId: string): boolean {
    return this.#takers.has(user.userId, { sessionId, processId });
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
    checkMayAsk(caller, sessionId, callee, { ...this.#parts, takers: this.#takers, ringing: this.#ringing });
    const retryDelayMs = this.#rate.take(user.userId, callee.userId);
    if (retryDelayMs > 0) {
      const message = `You have asked ${callee.username} ${this.#parts.perMinute} times within a minute. Wait a moment.`;
      throw new Refusal(Reason.RATE_LIMITED, { field: "username", message, retryDelayMs });
    }
    return this.#ring(caller, { sessionId, processId: request.processId }, callee, request.direct);
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
        const ring = this.#find(row, request);
        const program = keyOfProgram(programOf(row, request));
        // One that was not told of it leaves nothing to anybody.
        if (ring.online.has(program)) {
          ring.passed.add(program);
          ring.isPassed = true;
        }
        this.#endIfNobodyIsLeft(ring);
        return undefined;
      }
      default:
        throw new Refusal(Reason.INVALID_FIELD, { field: "answer", message: "Accept, refuse, or pass." });
    }
  }

  #ring(caller: PeerDeviceRow, callerProgram: Program, callee: UserRow, direct: boolean): Asking {
    const { timeoutMs } = this.#parts.times;
    const takers = this.#takers.of(callee.userId);
    const { promise: end, resolve: settle } = Promise.withResolvers<Introduction | Refusal>();
    const ring: Ring = {
      id: randomBytes(16).toString("base64url"),
      caller,
      callerProgram,
      callee,
      direct,
      until: performance.now() + timeoutMs,
      timer: setTimeout(() => {
        const outcome = IntroductionOutcome.UNANSWERED;
        this.#end(ring, new Refusal(Reason.INTRODUCTION_UNANSWERED), nobodyAnswered(outcome));
      }, timeoutMs),
      asked: new Set([...takers].map((taker) => taker.deviceId)),
      passed: new Set(),
      isPassed: false,
      online: new Map([...takers].map((taker) => [keyOfProgram(taker), taker])),
      settle,
    };
    ring.timer.unref();
    this.#ringing.add(ring);
    this.#parts.bus.publish(`user:${callee.userId}`, requested(ring));
    return {
      asked: { introductionId: ring.id, devices: ring.asked.size, timeout: toDuration(timeoutMs) },
      end,
      takeBack: () => {
        const outcome = IntroductionOutcome.TAKEN_BACK;
        this.#end(ring, new Refusal(Reason.CANCELLED), nobodyAnswered(outcome));
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
    const ring = this.#find(row, request);
    const { callee } = ring;
    const program = programOf(row, request);
    const isBlocking = await blocks.isBlocking(callee.userId, ring.caller.user.userId);
    // As it is by now: the keys may be others than when it was asked.
    const caller = await store.peerDevice(ring.caller.device.deviceId);
    // Another device may have been faster meanwhile; from here to the end in one turn.
    this.#find(row, request);
    if (caller === undefined) {
      this.#end(ring, new Refusal(Reason.DEVICE_KEY_MISSING), nobodyAnswered(IntroductionOutcome.TAKEN_BACK));
      throw notFound();
    }
    if (isBlocking) {
      this.#refuse(program, own, ring, new Refusal(Reason.BLOCKED_BY_RECIPIENT));
      const message = `You block ${caller.user.username}: unblock first, then ask for a private chat yourself.`;
      throw new Refusal(Reason.ALREADY_BLOCKED, { message });
    }
    const direct = ring.direct && request.direct;
    const common = { introductionId: ring.id, direct, lifetime: toDuration(times.lifetimeMs) };
    const userIds = [caller.user.userId, callee.userId] as const;
    const deviceIds = [caller.device.deviceId, row.deviceId] as const;
    agreements.add({ id: ring.id, userIds, deviceIds }, times.lifetimeMs);
    const agreed = { introductionId: ring.id, program: ring.callerProgram, device: caller.device };
    chats.agree(...userIds, agreed, times.lifetimeMs);
    chats.agree(
      callee.userId,
      caller.user.userId,
      { introductionId: ring.id, program, device: own.device },
      times.lifetimeMs,
    );
    this.#ringing.remember(ring, `Answered on ${nameOfOwn(own.device.deviceName)} already: yes.`);
    this.#end(
      ring,
      { ...common, peer: toPeerDevice(own), addresses: direct ? addresses : [] },
      answeredBy(program, own, IntroductionOutcome.ACCEPTED_ELSEWHERE),
    );
    return { ...common, peer: toPeerDevice(caller), addresses: [] };
  }

  #refuse(
    program: Program,
    own: PeerDeviceRow,
    ring: Ring,
    refusal = new Refusal(Reason.INTRODUCTION_REFUSED),
  ): void {
    this.#ringing.remember(ring, `Answered on ${nameOfOwn(own.device.deviceName)} already: no.`);
    this.#end(ring, refusal, answeredBy(program, own, IntroductionOutcome.REFUSED_ELSEWHERE));
  }

  /** @throws Refusal INTRODUCTION_NOT_FOUND: it is over, or this program may not answer */
  #find(row: SessionRow, { introductionId, processId }: AnswerIntroductionRequest): Ring {
    const { user, deviceId } = row;
    const ring = this.#ringing.get(introductionId);
    const program = keyOfProgram(programOf(row, { processId }));
    const mayAnswer =
      ring?.callee.userId === user.userId && ring.asked.has(deviceId) && !ring.passed.has(program);
    if (ring !== undefined && mayAnswer) return ring;
    throw notFound(this.#ringing.answerTo(introductionId, user.userId));
  }

  /** These programs of the user are not there any more. */
  #gone(userId: number, isGone: (program: Program) => boolean): void {
    for (const ring of [...this.#ringing.ofCallee(userId)]) {
      const gone = [...ring.online].filter(([, program]) => isGone(program));
      for (const [key] of gone) {
        ring.online.delete(key);
        ring.passed.delete(key);
      }
      if (gone.length > 0) this.#endIfNobodyIsLeft(ring);
    }
  }

  #endIfNobodyIsLeft(ring: Ring): void {
    for (const key of ring.online.keys()) if (!ring.passed.has(key)) return;
    const reason = ring.isPassed ? Reason.INTRODUCTION_REFUSED : Reason.USER_OFFLINE;
    this.#end(ring, new Refusal(reason), undefined);
  }

  /** Does nothing where it has ended. @param closing what the callee's devices are told; undefined: they know */
  #end(ring: Ring, end: Introduction | Refusal, closing: Closing | undefined): void {
    if (!this.#ringing.delete(ring)) return;
    ring.settle(end);
    if (closing !== undefined)
      this.#parts.bus.publish(`user:${ring.callee.userId}`, closed(ring.id, closing));
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
