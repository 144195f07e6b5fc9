// The rules of answering an introduction: which programs may answer, and the effects of ACCEPT, REFUSE and PASS.
import { IntroductionOutcome } from "../../gen/parley/chat/v1/event.ts";
import {
  Answer,
  type AnswerIntroductionRequest,
  type Introduction,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Identities } from "../auth/identities.ts";
import { toPeerDevice } from "../auth/user-messages.ts";
import { Refusal } from "../reasons.ts";
import type { BlockStore, IdentityStore, PeerDeviceRow, SessionRow } from "../store/store.ts";
import type { Agreements } from "./agreements.ts";
import { directAddresses } from "./direct-addresses.ts";
import { answeredBy, toDuration, withoutAnswer } from "./introduction-events.ts";
import { nameOfOwn, type OpenChats } from "./open-chats.ts";
import type { PendingInvitation, PendingInvitations } from "./pending-invitations.ts";
import { keyOfProgram, type Program } from "./subscribers.ts";

export interface InvitationAnswersParts {
  readonly identities: Identities;
  readonly store: Pick<IdentityStore, "peerDevice">;
  readonly blocks: Pick<BlockStore, "isBlocking">;
  readonly chats: OpenChats;
  readonly agreements: Agreements;
  readonly invitations: PendingInvitations;
  /** How long an accepted introduction is valid, ms. */
  readonly lifetimeMs: number;
}

export class InvitationAnswers {
  readonly #parts: InvitationAnswersParts;

  constructor(parts: InvitationAnswersParts) {
    this.#parts = parts;
  }

  /**
   * @param seen the IP address from which the device calls, without port
   * @returns the introduction for ACCEPT, otherwise undefined
   * @throws Refusal DEVICE_KEY_MISSING, INVALID_FIELD, INTRODUCTION_NOT_FOUND, ALREADY_BLOCKED
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
      case Answer.PASS:
        this.#pass(keyOfProgram(programOf(row, request)), this.#find(row, request));
        return undefined;
      default:
        throw new Refusal(Reason.INVALID_FIELD, {
          field: "answer",
          message: "The answer must be ACCEPT, REFUSE or PASS.",
        });
    }
  }

  async #accept(
    row: SessionRow,
    own: PeerDeviceRow,
    request: AnswerIntroductionRequest,
    addresses: string[],
  ): Promise<Introduction> {
    const { blocks, store, agreements, chats, invitations, lifetimeMs } = this.#parts;
    const invitation = this.#find(row, request);
    const { id, callee, callerProgram } = invitation;
    const program = programOf(row, request);
    const isBlocking = await blocks.isBlocking(callee.userId, invitation.caller.user.userId);
    // Read the caller's device again, because its keys may have changed since the question.
    const caller = await store.peerDevice(invitation.caller.device.deviceId);
    // Check again, because another device may have answered in the meantime. No await from here on.
    this.#find(row, request);
    if (caller === undefined) {
      const closing = withoutAnswer(IntroductionOutcome.TAKEN_BACK);
      invitations.end(invitation, new Refusal(Reason.DEVICE_KEY_MISSING), closing);
      throw notFound();
    }
    if (isBlocking) {
      this.#refuse(program, own, invitation, new Refusal(Reason.BLOCKED_BY_RECIPIENT));
      const message = `You block ${caller.user.username}. Unblock the user, then ask for a private chat yourself.`;
      throw new Refusal(Reason.ALREADY_BLOCKED, { message });
    }
    const direct = invitation.direct && request.direct;
    const common = { introductionId: id, direct, lifetime: toDuration(lifetimeMs) };
    const userIds = [caller.user.userId, callee.userId] as const;
    agreements.add({ id, userIds, deviceIds: [caller.device.deviceId, row.deviceId] }, lifetimeMs);
    const ofCaller = { introductionId: id, program: callerProgram, device: caller.device };
    chats.agree(caller.user.userId, callee.userId, ofCaller, lifetimeMs);
    const ofCallee = { introductionId: id, program, device: own.device };
    chats.agree(callee.userId, caller.user.userId, ofCallee, lifetimeMs);
    invitations.remember(invitation, `Already accepted on ${nameOfOwn(own.device.deviceName)}.`);
    invitations.end(
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
    const { invitations } = this.#parts;
    invitations.remember(invitation, `Already refused on ${nameOfOwn(own.device.deviceName)}.`);
    invitations.end(invitation, refusal, answeredBy(program, own, IntroductionOutcome.REFUSED_ELSEWHERE));
  }

  #pass(program: string, invitation: PendingInvitation): void {
    // A program that did not receive the request cannot pass on it.
    if (invitation.online.has(program)) {
      invitation.passed.add(program);
      invitation.hasPass = true;
    }
    this.#parts.invitations.endIfUnanswerable(invitation);
  }

  /** @throws Refusal INTRODUCTION_NOT_FOUND if it has ended, or this program may not answer it */
  #find(row: SessionRow, request: AnswerIntroductionRequest): PendingInvitation {
    const { invitations } = this.#parts;
    const { user, deviceId } = row;
    const invitation = invitations.get(request.introductionId);
    const mayAnswer =
      invitation?.callee.userId === user.userId &&
      invitation.asked.has(deviceId) &&
      !invitation.passed.has(keyOfProgram(programOf(row, request)));
    if (invitation !== undefined && mayAnswer) return invitation;
    throw notFound(invitations.answerTo(request.introductionId, user.userId));
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
