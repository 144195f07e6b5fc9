// IntroductionService: asking for private chats and answering, over the rules of introductions.
import {
  type IntroduceRequest,
  IntroduceResponse,
  IntroductionServiceService,
  type RelayRequest,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { peerHost } from "../../rpc/address.ts";
import {
  type CallContext,
  type FrameReader,
  implementService,
  type ServiceOptions,
} from "../../rpc/handler.ts";
import type { Outbox } from "../../rpc/outbox.ts";
import type { Introductions } from "../chat/introductions.ts";
import type { PrivateChats } from "../chat/private-chats.ts";
import type { ClientManager } from "../client-manager.ts";
import { parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { Gate } from "./gate.ts";
import { type RelayParts, relay } from "./relay-call.ts";
import { type SessionCalls, untilAborted } from "./session-calls.ts";

export interface IntroductionServiceParts extends RelayParts {
  readonly gate: Gate;
  readonly calls: SessionCalls;
  readonly introductions: Introductions;
  readonly chats: PrivateChats;
  readonly manager: ClientManager;
  readonly options: ServiceOptions;
}

/** An answer may be a setting's, and a report is a program's: a person's doing is told by ReportActivity. */
const byProgram = { isActivity: () => false };

/** So many users in a report cost a token. */
const REPORTED_PER_TOKEN = 100;

export function introductionService(parts: IntroductionServiceParts) {
  const { gate, calls, introductions, chats, manager, options } = parts;
  return implementService(
    IntroductionServiceService,
    {
      introduce: (request: IntroduceRequest, outbox: Outbox, call: CallContext) =>
        calls.serve(call, async (session, signal) => {
          const asking = await introductions.ask(session.row, request);
          try {
            session.reportActivity();
            const say = (step: IntroduceResponse["step"]): void =>
              outbox.push(IntroduceResponse.encode({ step }).finish());
            say({ $case: "asked", value: asking.asked });
            const end = await Promise.race([asking.end, untilAborted(signal)]);
            if (end instanceof Refusal) throw end;
            say({ $case: "introduction", value: end });
          } finally {
            asking.takeBack();
          }
        }),

      answerIntroduction: gate.forSession(async (request, { row }, call) => {
        const introduction = await introductions.answer(row, request, peerHost(call.peer));
        return { introduction };
      }, byProgram),

      reportPrivateChats: gate.forSession(
        ({ userIds }, { row }) => {
          const peerIds = readUserIds(userIds);
          // It lasts as long as the session's streams: without one it would be forgotten at once.
          if (manager.isConnected(row.sessionId)) chats.report(row, peerIds);
          return Promise.resolve({});
        },
        { cost: ({ userIds }) => 1 + userIds.length / REPORTED_PER_TOKEN, ...byProgram },
      ),

      relay: (frames: FrameReader<RelayRequest>, outbox: Outbox, call: CallContext) =>
        calls.serve(call, (session, signal) => relay(session, { frames, outbox, signal }, parts)),
    },
    {
      ...options,
      outbox: {
        softBytes: limits.relaySoftBytes,
        hardBytes: limits.relayHardBytes,
        // Each piece is a whole response: joined, two would be read as one.
        maxFrameBytes: 1,
      },
    },
  );
}

function readUserIds(texts: readonly string[]): Set<number> {
  if (texts.length > limits.reportedChats) {
    const message = `At most ${limits.reportedChats} users.`;
    throw new Refusal(Reason.INVALID_FIELD, { field: "user_ids", message });
  }
  const userIds = new Set<number>();
  for (const [index, text] of texts.entries()) {
    const userId = parseId("user", text);
    if (userId === undefined) {
      const message = "That is no user id.";
      throw new Refusal(Reason.INVALID_FIELD, { field: `user_ids[${index}]`, message });
    }
    userIds.add(userId);
  }
  return userIds;
}
