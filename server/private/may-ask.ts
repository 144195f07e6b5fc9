// Whether a user may be asked for a private chat now, as far as that is known without asking the store.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Presence } from "../chat/presence.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { PeerDeviceRow, UserRow } from "../store/store.ts";
import type { Agreements } from "./agreements.ts";
import { nameOfOwn, type OpenChats } from "./open-chats.ts";
import type { PendingInvitations } from "./pending-invitations.ts";
import type { Subscribers } from "./subscribers.ts";

export interface AskingGround {
  readonly chats: OpenChats;
  readonly presence: Pick<Presence, "onlineSessions">;
  readonly agreements: Agreements;
  readonly subscribers: Subscribers;
  readonly invitations: PendingInvitations;
}

/**
 * @throws Refusal PRIVATE_CHAT_OPEN, USER_OFFLINE, PRIVATE_CHAT_UNAVAILABLE, INTRODUCTION_PENDING, RATE_LIMITED; looked
 * for in this order
 */
export function checkMayAsk(
  { user, device }: PeerDeviceRow,
  sessionId: number,
  callee: UserRow,
  ground: AskingGround,
): void {
  const field = "username";
  const open = ground.chats.openWith(user.userId, callee.userId);
  if (open !== undefined) {
    const where = open.deviceId === device.deviceId ? "this device" : nameOfOwn(open.deviceName);
    const message = `A private chat with ${callee.username} is open on ${where} already.`;
    throw new Refusal(Reason.PRIVATE_CHAT_OPEN, { field, message });
  }
  if (ground.presence.onlineSessions(callee.userId) === 0) throw new Refusal(Reason.USER_OFFLINE, { field });
  if (ground.subscribers.of(callee.userId).size === 0) {
    throw new Refusal(Reason.PRIVATE_CHAT_UNAVAILABLE, { field });
  }
  const pending = ground.invitations.between(user.userId, callee.userId);
  if (pending !== undefined) {
    const isOwn = pending.caller.user.userId === user.userId;
    const message = isOwn
      ? `You are asking ${callee.username} already.`
      : `${callee.username} is asking you already: answer that.`;
    throw new Refusal(Reason.INTRODUCTION_PENDING, { field, message });
  }
  const isTooMuch =
    ground.invitations.ofCallingSession(sessionId).size >= limits.introductionsPerSession ||
    ground.invitations.ofCallee(callee.userId).size >= limits.introductionsPerCallee ||
    ground.agreements.countOf(user.userId) >= limits.agreementsPerUser;
  if (isTooMuch) throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: limits.introductionRetryMs });
}
