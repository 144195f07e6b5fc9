// The rules of introductions: who may ask whom for a private chat, who may answer, and how a question ends. It MUST:
//  1. end each question once: by the first yes, a no, the lack of anybody who could answer, the time, or its caller;
//  2. give addresses to nobody but the caller, and only where both sides allow a direct path;
//  3. hold no more questions than its bounds, and nothing of one that is over but its id and a sentence.
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
import { directAddresses } from "./direct-addresses.ts";
import {
  answeredBy,
  type Closing,
  closed,
  nobodyAnswered,
  requested,
  toDuration,
} from "./introduction-events.ts";
import { checkMayAsk } from "./may-ask.ts";
import type { Presence } from "./presence.ts";
import { nameOfOwn, type PrivateChats } from "./private-chats.ts";
import { type Ring, Ringing } from "./ringing.ts";
import { Takers } from "./takers.ts";
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
  readonly #ringing = new Ringing();

  constructor(parts: IntroductionsParts) {
    this.#parts = parts;
    parts.presence.onSessionGone((userId, sessionId) => this.#left(userId, sessionId));
  }

  /**
   * The stream takes introductions until the result is disposed of, and is told those that wait for an answer.
   * Its device has a certificate.
   */
  take(stream: Pick<ConnectedStream, "deliver">, { user, sessionId, deviceId }: SessionRow): Disposable {
    const taking = this.#takers.enter({ userId: user.userId, sessionId, deviceId });
    for (const ring of this.#ringing.ofCallee(user.userId)) {
      if (ring.passed.has(deviceId)) continue;
      ring.asked.add(deviceId);
      ring.online.set(sessionId, deviceId);
      stream.deliver(requested(ring));
    }
    return taking;
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
    return this.#ring(caller, sessionId, callee, request.direct);
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
        this.#refuse(row, own, this.#find(row, request.introductionId));
        return undefined;
      case Answer.PASS: {
        const ring = this.#find(row, request.introductionId);
        ring.passed.add(row.deviceId);
        this.#endIfNobodyIsLeft(ring);
        return undefined;
      }
      default:
        throw new Refusal(Reason.INVALID_FIELD, { field: "answer", message: "Accept, refuse, or pass." });
    }
  }

  #ring(caller: PeerDeviceRow, callerSessionId: number, callee: UserRow, direct: boolean): Asking {
    const { timeoutMs } = this.#parts.times;
    const takers = this.#takers.of(callee.userId);
    const { promise: end, resolve: settle } = Promise.withResolvers<Introduction | Refusal>();
    const ring: Ring = {
      id: randomBytes(16).toString("base64url"),
      caller,
      callerSessionId,
      callee,
      direct,
      until: performance.now() + timeoutMs,
      timer: setTimeout(() => {
        const outcome = IntroductionOutcome.UNANSWERED;
        this.#end(ring, new Refusal(Reason.INTRODUCTION_UNANSWERED), nobodyAnswered(outcome));
      }, timeoutMs),
      asked: new Set([...takers].map((taker) => taker.deviceId)),
      passed: new Set(),
      online: new Map([...takers].map((taker) => [taker.sessionId, taker.deviceId])),
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
    const ring = this.#find(row, request.introductionId);
    const { callee } = ring;
    const isBlocking = await blocks.isBlocking(callee.userId, ring.caller.user.userId);
    // As it is by now: the keys may be others than when it was asked.
    const caller = await store.peerDevice(ring.caller.device.deviceId);
    // Another device may have been faster meanwhile; from here to the end in one turn.
    this.#find(row, request.introductionId);
    if (caller === undefined) {
      this.#end(ring, new Refusal(Reason.DEVICE_KEY_MISSING), nobodyAnswered(IntroductionOutcome.TAKEN_BACK));
      throw notFound();
    }
    if (isBlocking) {
      this.#refuse(row, own, ring, new Refusal(Reason.BLOCKED_BY_RECIPIENT));
      const message = `You block ${caller.user.username}: unblock first, then ask for a private chat yourself.`;
      throw new Refusal(Reason.ALREADY_BLOCKED, { message });
    }
    const direct = ring.direct && request.direct;
    const common = { introductionId: ring.id, direct, lifetime: toDuration(times.lifetimeMs) };
    agreements.add(ring.id, caller.user.userId, [caller.device.deviceId, row.deviceId], times.lifetimeMs);
    chats.agree(caller.user.userId, callee.userId, caller.device, times.lifetimeMs);
    chats.agree(callee.userId, caller.user.userId, own.device, times.lifetimeMs);
    this.#ringing.remember(ring, `Answered on ${nameOfOwn(own.device.deviceName)} already: yes.`);
    this.#end(
      ring,
      { ...common, peer: toPeerDevice(own), addresses: direct ? addresses : [] },
      answeredBy(row, own, IntroductionOutcome.ACCEPTED_ELSEWHERE),
    );
    return { ...common, peer: toPeerDevice(caller), addresses: [] };
  }

  #refuse(
    row: SessionRow,
    own: PeerDeviceRow,
    ring: Ring,
    refusal = new Refusal(Reason.INTRODUCTION_REFUSED),
  ): void {
    this.#ringing.remember(ring, `Answered on ${nameOfOwn(own.device.deviceName)} already: no.`);
    this.#end(ring, refusal, answeredBy(row, own, IntroductionOutcome.REFUSED_ELSEWHERE));
  }

  /** @throws Refusal INTRODUCTION_NOT_FOUND: it is over, or this device may not answer */
  #find({ user, deviceId }: SessionRow, id: string): Ring {
    const ring = this.#ringing.get(id);
    const mayAnswer =
      ring?.callee.userId === user.userId && ring.asked.has(deviceId) && !ring.passed.has(deviceId);
    if (ring !== undefined && mayAnswer) return ring;
    throw notFound(this.#ringing.answerTo(id, user.userId));
  }

  /** The user's session is not online any more. */
  #left(userId: number, sessionId: number): void {
    for (const ring of [...this.#ringing.ofCallee(userId)]) {
      if (ring.online.delete(sessionId)) this.#endIfNobodyIsLeft(ring);
    }
  }

  #endIfNobodyIsLeft(ring: Ring): void {
    for (const deviceId of ring.online.values()) if (!ring.passed.has(deviceId)) return;
    const isRefused = ring.passed.size > 0;
    this.#end(ring, new Refusal(isRefused ? Reason.INTRODUCTION_REFUSED : Reason.USER_OFFLINE), undefined);
  }

  /** Does nothing where it has ended. @param closing what the callee's devices are told; undefined: they know */
  #end(ring: Ring, end: Introduction | Refusal, closing: Closing | undefined): void {
    if (!this.#ringing.delete(ring)) return;
    ring.settle(end);
    if (closing !== undefined)
      this.#parts.bus.publish(`user:${ring.callee.userId}`, closed(ring.id, closing));
  }
}

function notFound(message?: string): Refusal {
  return new Refusal(Reason.INTRODUCTION_NOT_FOUND, {
    field: "introduction_id",
    ...(message === undefined ? {} : { message }),
  });
}
