// The limits of this server in the shape of the contract's message.
import type { Limits } from "../../../gen/parley/chat/v1/event.ts";
import { limits } from "../../limits.ts";

/** The limits that the operator sets. */
export interface LimitOptions {
  readonly idleTimeoutMs: number | undefined;
  readonly callRate: number;
  readonly sessionsPerUser: number;
}

export function toLimits({ idleTimeoutMs, callRate, sessionsPerUser }: LimitOptions): Limits {
  return {
    maxContentBytes: limits.contentBytes,
    maxRequestBytes: limits.requestBytes,
    maxCommandsPerRequest: limits.commandsPerRequest,
    maxCursors: limits.cursors,
    maxStreamsPerSession: limits.streamsPerSession,
    idleTimeout: durationOf(idleTimeoutMs),
    maxCallsPerSecond: callRate,
    maxOnlineSessions: sessionsPerUser,
  };
}

function durationOf(ms: number | undefined): Limits["idleTimeout"] {
  if (ms === undefined) return undefined;
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
