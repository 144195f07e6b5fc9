// Decides from the error of a stream or a connection whether the link tries again.
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { BrokenStreamError, isConnectionLost, isLoggedOut } from "../model/errors.ts";
import type { LinkEnding } from "../model/events.ts";

export type RetryDecision =
  /** Try again, after at least the delay that the server asked for, ms. */
  | { readonly kind: "retry"; readonly floorMs: number }
  /** Try again without the cursor at this index of the Hello; undefined: the server did not name it. */
  | {
      readonly kind: "reset-cursor";
      readonly cursorIndex: number | undefined;
      readonly cause: RpcError;
    }
  | { readonly kind: "end"; readonly ending: LinkEnding };

export function decideRetry(failure: Error): RetryDecision {
  if (failure instanceof BrokenStreamError) return retry(0);
  if (failure instanceof ConnectError) return decideAfterConnectError(failure);
  if (!(failure instanceof RpcError)) return end({ kind: "failed", cause: failure });
  if (failure.retryDelayMs !== undefined) return retry(failure.retryDelayMs);
  if (isConnectionLost(failure)) return retry(0);
  // An earlier version of the server answers an unexpected failure in this way, and the failure may pass.
  if (failure.reason === "INTERNAL") return retry(0);
  if (isLoggedOut(failure)) return end({ kind: "not-logged-in", cause: failure });
  const index = /cursors\[(\d+)\]/.exec(failure.field ?? "")?.[1];
  if (failure.reason === "CURSOR_BEYOND_HEAD" || (failure.reason === "CONVERSATION_NOT_FOUND" && index)) {
    const cursorIndex = index === undefined ? undefined : Number(index);
    return { kind: "reset-cursor", cursorIndex, cause: failure };
  }
  return end({ kind: "refused", cause: failure });
}

function decideAfterConnectError(failure: ConnectError): RetryDecision {
  switch (failure.kind) {
    case "unreachable":
    case "timeout":
    // The operator may renew the certificate, and this machine may correct its clock.
    case "certificate-time":
      return retry(0);
    case "fingerprint-mismatch":
    case "untrusted":
    case "not-tls":
    case "needs-tls":
      return end({ kind: "not-trusted", cause: failure });
  }
}

function retry(floorMs: number): RetryDecision {
  return { kind: "retry", floorMs };
}

function end(ending: LinkEnding): RetryDecision {
  return { kind: "end", ending };
}
