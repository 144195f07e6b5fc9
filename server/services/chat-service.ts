// Implements ChatService: Connect, Follow, and a unary twin for each command, with the same rules.
import type { ConnectRequest, FollowRequest, Hello } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import {
  type CallContext,
  type FrameReader,
  implementService,
  type ServiceOptions,
} from "../../rpc/calls/handler.ts";
import type { Outbox } from "../../rpc/calls/outbox.ts";
import { waitFor } from "../../time/wait.ts";
import type { ActiveSession } from "../auth/sessions.ts";
import { toAck } from "../chat/encoding.ts";
import type { StoredMessage } from "../chat/sending.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { Gate, Terms } from "./calls/gate.ts";
import { chatBounds } from "./calls/request-bounds.ts";
import { CommandLoop, type CommandRules } from "./streams/command-loop.ts";
import { chatDefinition, contentBytes } from "./streams/opaque-content.ts";
import { readProcessId } from "./streams/process-id.ts";
import type { Streams } from "./streams/streams.ts";

export interface ChatServiceParts {
  readonly gate: Gate;
  readonly streams: Streams;
  readonly rules: CommandRules;
  readonly options: ServiceOptions;
}

export function chatService({ gate, streams, rules, options }: ChatServiceParts) {
  const { sending, markers, typing } = rules;
  return implementService(
    chatDefinition,
    {
      connect: gate.admitting(
        (session) => (frames: FrameReader<ConnectRequest>, outbox: Outbox, call: CallContext) =>
          gate.failures.stream(call.method, async () => {
            const hello = await readHello(frames);
            await streams.serve(session, hello, outbox, call, (feed, signal) =>
              new CommandLoop(rules, { session, frames, outbox, feed, signal }).run(),
            );
          }),
      ),

      follow: gate.admitting(
        (session) => (request: FollowRequest, outbox: Outbox, call: CallContext) =>
          gate.failures.stream(call.method, async () => {
            await streams.serve(session, request.hello, outbox, call, async (_feed, signal) => {
              await aborted(signal);
              return "half-closed";
            });
          }),
      ),

      sendMessage: gate.forSession(async (request, session) => {
        const destination = await sending.destination(session.row.user, request.target);
        const content = { bytes: contentBytes(request), decoded: request.content };
        const sender = unarySender(session);
        return answer(await sending.append(sender, destination, request.clientMessageId, content));
      }, unlessRepeated),

      broadcast: gate.forSession(async (request, session) => {
        const content = { bytes: contentBytes(request), decoded: request.content };
        const sender = unarySender(session);
        return answer(await sending.append(sender, sending.broadcast, request.clientMessageId, content));
      }, unlessRepeated),

      setMarkers: gate.forSession(
        async (request, session) => {
          const [first, ...others] = await markers.raise(session.row.user, request.markers);
          if (first === undefined) return {};
          const { reason, field = "", message, metadata } = first.refusal;
          throw new Refusal(reason, {
            field,
            message,
            facts: { ...metadata, refused_markers: 1 + others.length },
            others: others.map(({ refusal }) => refusal),
          });
        },
        { cost: ({ markers }) => Math.max(1, markers.length), isActivity: () => false },
      ),

      setTyping: gate.forSession(
        async (request, session) => {
          const destination = await sending.destination(session.row.user, request.target);
          await typing.set(session.row.user, destination, request.typing);
          return {};
        },
        { isActivity: () => false },
      ),

      reportActivity: gate.forSession(() => Promise.resolve({})),

      leave: gate.forSession(
        async (request, session) => {
          await streams.leave(session, readProcessId(request.processId, "process_id"));
          return {};
        },
        { isActivity: () => false },
      ),
    },
    { ...options, methodBounds: chatBounds },
  );
}

/** Clients repeat sends by themselves, so a repeated send does not count as a command of the user. */
const unlessRepeated: Terms<unknown, { readonly ack: Ack | undefined }> = {
  isActivity: (_request, { ack }) => ack?.repeatedSend !== true,
};

function answer(message: StoredMessage) {
  return { ack: toAck(message, message.repeated) };
}

function unarySender({ row }: ActiveSession) {
  return { user: row.user, deviceId: row.deviceId, stream: undefined };
}

/** @throws Refusal HELLO_TIMEOUT, HELLO_EXPECTED */
async function readHello(frames: FrameReader<ConnectRequest>): Promise<Hello> {
  const frame = await waitFor(frames.next(), { ms: limits.helloMs });
  if (frame.status !== "done") throw new Refusal(Reason.HELLO_TIMEOUT, { retryDelayMs: limits.comeBackMs });
  const [command, ...others] = frame.value?.commands ?? [];
  if (command?.kind?.$case !== "hello" || others.length > 0) throw new Refusal(Reason.HELLO_EXPECTED);
  return command.kind.value;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
