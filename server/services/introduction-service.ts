// Implements IntroductionService: asking for private chats, answering, reporting open chats, and relays.
import {
  type IntroduceRequest,
  IntroduceResponse,
  IntroductionServiceService,
  type RelayRequest,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type FrameReader, implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { peerHost } from "../../rpc/network/address.ts";
import { waitFor } from "../../time/wait.ts";
import type { UserCache } from "../chat/user-cache.ts";
import type { ClientManager } from "../client-manager.ts";
import { formatId, parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import type { Introductions } from "../private/introductions.ts";
import type { OpenChats } from "../private/open-chats.ts";
import { Refusal } from "../reasons.ts";
import type { Gate } from "./calls/gate.ts";
import { introductionBounds } from "./calls/request-bounds.ts";
import { endingOf, type SessionCalls } from "./calls/session-calls.ts";
import { readProcessId } from "./streams/process-id.ts";
import { type RelayParts, relay } from "./streams/relay-call.ts";

export interface IntroductionServiceParts extends RelayParts {
  readonly gate: Gate;
  readonly calls: SessionCalls;
  readonly introductions: Introductions;
  readonly chats: OpenChats;
  readonly users: UserCache;
  readonly manager: ClientManager;
  readonly options: ServiceOptions;
}

/**
 * The terms of calls that programs may make by themselves. They also call ReportActivity if the user gave the command.
 */
const byProgram = { isActivity: () => false };

/** A report costs one token for each 100 users in it. */
const REPORTED_PER_TOKEN = 100;

export function introductionService(parts: IntroductionServiceParts) {
  const { gate, calls, introductions, chats, users, manager, options } = parts;
  return implementService(
    IntroductionServiceService,
    {
      introduce: calls.serve(async (request: IntroduceRequest, outbox, session, signal) => {
        readProcessId(request.processId, "process_id");
        const asking = await introductions.ask(session.row, request);
        try {
          session.reportActivity();
          const send = (step: IntroduceResponse["step"]): void =>
            outbox.push(IntroduceResponse.encode({ step }).finish());
          send({ $case: "asked", value: asking.asked });
          const end = await waitFor(asking.end, { signal });
          if (end.status !== "done") throw endingOf(signal);
          if (end.value instanceof Refusal) throw end.value;
          send({ $case: "introduction", value: end.value });
        } finally {
          asking.takeBack();
        }
      }),

      answerIntroduction: gate.forSession(async (request, { row }, call) => {
        readProcessId(request.processId, "process_id");
        const introduction = await introductions.answer(row, request, peerHost(call.peer));
        return { introduction };
      }, byProgram),

      reportPrivateChats: gate.forSession(
        ({ userIds, processId, failedIntroductionIds }, { row }) => {
          const { user, sessionId, deviceId, client } = row;
          const peerIds = readUserIds(userIds);
          const program = { sessionId, processId: readProcessId(processId, "process_id") };
          checkFailedIds(failedIntroductionIds);
          // A report is valid only while the program has a stream, so it is dropped if there is none.
          const isKept =
            processId === "" ? manager.isConnected(sessionId) : introductions.isSubscribed(row, processId);
          if (isKept)
            chats.report(user.userId, program, { deviceId, deviceName: client.deviceName }, peerIds);
          else chats.forgetProgram(user.userId, program);
          for (const id of failedIntroductionIds) introductions.fail(row, id);
          return Promise.resolve({});
        },
        {
          cost: ({ userIds, failedIntroductionIds }) =>
            1 + (userIds.length + failedIntroductionIds.length) / REPORTED_PER_TOKEN,
          ...byProgram,
        },
      ),

      getPrivateChat: gate.forSession(async ({ username }, { row }) => {
        const other = await users.byName(username);
        if (other === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
        const device = chats.openWith(row.user.userId, other.userId);
        if (device === undefined) return { deviceId: "", deviceName: "" };
        return { deviceId: formatId("device", device.deviceId), deviceName: device.deviceName };
      }, byProgram),

      relay: calls.serve((frames: FrameReader<RelayRequest>, outbox, session, signal) =>
        relay(session, { frames, outbox, signal }, parts),
      ),
    },
    {
      ...options,
      methodBounds: introductionBounds,
      outbox: {
        softBytes: limits.relaySoftBytes,
        hardBytes: limits.relayHardBytes,
        pieceOverhead: limits.relayPieceOverhead,
        // Each piece is a whole response. Two pieces in one frame would be decoded as one response.
        maxFrameBytes: 1,
      },
    },
  );
}

function checkFailedIds(ids: readonly string[]): void {
  if (ids.length <= limits.failedIntroductions) return;
  const message = `At most ${limits.failedIntroductions} introductions.`;
  const facts = { maximum: limits.failedIntroductions, unit: "items", actual: ids.length };
  throw new Refusal(Reason.INVALID_FIELD, { field: "failed_introduction_ids", message, facts });
}

function readUserIds(texts: readonly string[]): Set<number> {
  if (texts.length > limits.reportedChats) {
    const message = `At most ${limits.reportedChats} users.`;
    const facts = { maximum: limits.reportedChats, unit: "items", actual: texts.length };
    throw new Refusal(Reason.INVALID_FIELD, { field: "user_ids", message, facts });
  }
  const userIds = new Set<number>();
  for (const [index, text] of texts.entries()) {
    const userId = parseId("user", text);
    if (userId === undefined) {
      const message = "This is not a user id.";
      throw new Refusal(Reason.INVALID_FIELD, { field: `user_ids[${index}]`, message });
    }
    userIds.add(userId);
  }
  return userIds;
}
