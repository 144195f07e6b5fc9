// Whether one user may ask another for a private chat now. These checks need no access to the store.
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { PeerDeviceRow, UserRow } from "../store/store.ts";
import type { Agreements } from "./agreements.ts";
import { nameOfOwn, type OpenChats } from "./open-chats.ts";
import type { PendingInvitations } from "./pending-invitations.ts";
import type { Subscribers } from "./subscribers.ts";

export interface AskingState {
  readonly chats: OpenChats;
  /** Whether the callee has a session online. */
  readonly isOnline: boolean;
  readonly agreements: Agreements;
  readonly subscribers: Subscribers;
  readonly invitations: PendingInvitations;
}

/**
 * @throws Refusal PRIVATE_CHAT_OPEN, USER_OFFLINE, PRIVATE_CHAT_UNAVAILABLE, INTRODUCTION_PENDING, RATE_LIMITED; checked
 * in this order
 */
export function checkMayAsk(
  { user, device }: PeerDeviceRow,
  sessionId: number,
  callee: UserRow,
  state: AskingState,
): void {
  const field = "username";
  const open = state.chats.openWith(user.userId, callee.userId);
  if (open !== undefined) {
    const where = open.deviceId === device.deviceId ? "this device" : nameOfOwn(open.deviceName);
    const message = `A private chat with ${callee.username} is open on ${where} already.`;
    const facts = { device_id: formatId("device", open.deviceId), device_name: open.deviceName };
    throw new Refusal(Reason.PRIVATE_CHAT_OPEN, { field, message, facts });
  }
  if (!state.isOnline) throw new Refusal(Reason.USER_OFFLINE, { field });
  if (state.subscribers.of(callee.userId).size === 0) {
    throw new Refusal(Reason.PRIVATE_CHAT_UNAVAILABLE, { field });
  }
  const pending = state.invitations.between(user.userId, callee.userId);
  if (pending !== undefined) {
    const isOwn = pending.caller.user.userId === user.userId;
    const message = isOwn
      ? `You have already asked ${callee.username}. Wait for the answer.`
      : `${callee.username} has already asked you. Answer that question.`;
    throw new Refusal(Reason.INTRODUCTION_PENDING, { field, message });
  }
  const isTooMuch =
    state.invitations.ofCallingSession(sessionId).size >= limits.introductionsPerSession ||
    state.invitations.ofCallee(callee.userId).size >= limits.introductionsPerCallee ||
    state.agreements.countOf(user.userId) >= limits.agreementsPerUser;
  if (isTooMuch) throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: limits.introductionRetryMs });
}
