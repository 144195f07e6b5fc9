// The encoding of messages between nodes: parley.bus.v1.Message.
import { Message } from "../../gen/parley/bus/v1/bus.ts";
import type { Feature } from "../../gen/parley/chat/v1/event.ts";
import type { BusMessage, Topic } from "./bus.ts";

export function encodeMessage(topic: Topic, message: BusMessage): Uint8Array {
  return Message.encode({ topic, kind: toWire(message) }).finish();
}

/**
 * Returns undefined for a message of a kind that this version does not know.
 * @throws Error if the bytes are not a message of the bus
 */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly topic: Topic; readonly message: BusMessage } | undefined {
  const { topic, kind } = Message.decode(bytes);
  if (!isTopic(topic)) throw new Error(`a message of the bus has the topic ${JSON.stringify(topic)}`);
  const message = fromWire(kind);
  return message && { topic, message };
}

function isTopic(text: string): text is Topic {
  return text === "everyone" || /^user:\d+$/.test(text);
}

function toWire(message: BusMessage): Message["kind"] {
  switch (message.kind) {
    case "look":
      return { $case: "look", value: { position: BigInt(message.position) } };
    case "ephemeral":
      return {
        $case: "ephemeral",
        value: {
          feature: message.feature,
          key: message.key ?? "",
          piece: Buffer.from(message.piece),
          exceptSessionId: BigInt(message.except?.sessionId ?? 0),
          exceptProcessId: message.except?.processId ?? "",
        },
      };
    case "presence-changed":
      return { $case: "presenceChanged", value: {} };
    case "users-changed":
      return { $case: "usersChanged", value: {} };
    case "program-left":
      return {
        $case: "programLeft",
        value: { sessionId: BigInt(message.sessionId), processId: message.processId },
      };
    case "session-ended":
      return {
        $case: "sessionEnded",
        value: {
          userId: BigInt(message.userId),
          sessionId: BigInt(message.sessionId),
          timedOut: message.why === "timed-out",
        },
      };
  }
}

function fromWire(kind: Message["kind"]): BusMessage | undefined {
  switch (kind?.$case) {
    case "look":
      return { kind: "look", position: Number(kind.value.position) };
    case "ephemeral": {
      const { feature, key, piece, exceptSessionId, exceptProcessId } = kind.value;
      const except =
        exceptSessionId === 0n
          ? undefined
          : { sessionId: Number(exceptSessionId), processId: exceptProcessId };
      return {
        kind: "ephemeral",
        feature: feature as Feature,
        key: key === "" ? undefined : key,
        piece,
        except,
      };
    }
    case "presenceChanged":
      return { kind: "presence-changed" };
    case "usersChanged":
      return { kind: "users-changed" };
    case "programLeft": {
      const { sessionId, processId } = kind.value;
      return { kind: "program-left", sessionId: Number(sessionId), processId };
    }
    case "sessionEnded": {
      const { userId, sessionId, timedOut } = kind.value;
      const why = timedOut ? "timed-out" : "ended";
      return { kind: "session-ended", why, userId: Number(userId), sessionId: Number(sessionId) };
    }
    default:
      return undefined;
  }
}
