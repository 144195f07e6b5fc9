// What the end of a stream, or a connection that failed, means for its link: come back, or stay away.
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { BrokenStreamError, saysConnectionLost, saysLoggedOut } from "../model/errors.ts";
import type { LinkEnding } from "../model/events.ts";

export type Verdict =
  /** `floorMs`: what the server asked for. */
  | { readonly kind: "come-back"; readonly floorMs: number }
  /** Come back without that cursor of the Hello; undefined: the server did not say which. */
  | { readonly kind: "reset"; readonly cursorIndex: number | undefined }
  | { readonly kind: "stay-away"; readonly ending: LinkEnding };

export function judge(failure: Error): Verdict {
  if (failure instanceof BrokenStreamError) return comeBack(0);
  if (failure instanceof ConnectError) return judgeConnection(failure);
  if (!(failure instanceof RpcError)) return stayAway({ kind: "failed", cause: failure });
  if (failure.retryDelayMs !== undefined) return comeBack(failure.retryDelayMs);
  if (saysConnectionLost(failure)) return comeBack(0);
  if (saysLoggedOut(failure)) return stayAway({ kind: "not-logged-in", cause: failure });
  const cursor = /cursors\[(\d+)\]/.exec(failure.field ?? "")?.[1];
  if (failure.reason === "CURSOR_BEYOND_HEAD" || (failure.reason === "CONVERSATION_NOT_FOUND" && cursor)) {
    return { kind: "reset", cursorIndex: cursor === undefined ? undefined : Number(cursor) };
  }
  return stayAway({ kind: "refused", cause: failure });
}

function judgeConnection(failure: ConnectError): Verdict {
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

function comeBack(floorMs: number): Verdict {
  return { kind: "come-back", floorMs };
}

function stayAway(ending: LinkEnding): Verdict {
  return { kind: "stay-away", ending };
}
