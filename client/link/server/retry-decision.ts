// What the end of a stream, or a connection that failed, means for its link: come back, or stay away.
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { BrokenStreamError, isConnectionLost, isLoggedOut } from "../model/errors.ts";
import type { LinkEnding } from "../model/events.ts";

export type RetryDecision =
  /** `floorMs`: what the server asked for. */
  | { readonly kind: "retry"; readonly floorMs: number }
  /** Come back without that cursor of the Hello; undefined: the server did not say which. */
  | { readonly kind: "reset"; readonly cursorIndex: number | undefined }
  | { readonly kind: "end"; readonly ending: LinkEnding };

export function decideRetry(failure: Error): RetryDecision {
  if (failure instanceof BrokenStreamError) return comeBack(0);
  if (failure instanceof ConnectError) return judgeConnection(failure);
  if (!(failure instanceof RpcError)) return stayAway({ kind: "failed", cause: failure });
  if (failure.retryDelayMs !== undefined) return comeBack(failure.retryDelayMs);
  if (isConnectionLost(failure)) return comeBack(0);
  if (isLoggedOut(failure)) return stayAway({ kind: "not-logged-in", cause: failure });
  const cursor = /cursors\[(\d+)\]/.exec(failure.field ?? "")?.[1];
  if (failure.reason === "CURSOR_BEYOND_HEAD" || (failure.reason === "CONVERSATION_NOT_FOUND" && cursor)) {
    return { kind: "reset", cursorIndex: cursor === undefined ? undefined : Number(cursor) };
  }
  return stayAway({ kind: "refused", cause: failure });
}

function judgeConnection(failure: ConnectError): RetryDecision {
  switch (failure.kind) {
    case "unreachable":
    case "timeout":
      return comeBack(0);
    case "fingerprint-mismatch":
    case "untrusted":
    case "not-tls":
    case "needs-tls":
      return stayAway({ kind: "not-trusted", cause: failure });
  }
}

function comeBack(floorMs: number): RetryDecision {
  return { kind: "retry", floorMs };
}

function stayAway(ending: LinkEnding): RetryDecision {
  return { kind: "end", ending };
}
