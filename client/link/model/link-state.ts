// Where a link is, and how it ends.
import type { ConnectError } from "../../../rpc/dialling/dial.ts";
import type { RpcError } from "../../../rpc/status/status.ts";

/**
 * connecting → catching-up → live, and from each of them to waiting and back to connecting, until it has ended.
 */
export type LinkState =
  | {
      readonly phase: "connecting";
      /** Counts from 1 since the link was last live. */
      readonly attempt: number;
    }
  | { readonly phase: "catching-up" }
  | { readonly phase: "live" }
  | {
      readonly phase: "waiting";
      /** When the next attempt begins by itself. */
      readonly retryTime: Date;
      /** Why the last one failed. */
      readonly cause: Error;
    }
  | {
      readonly phase: "ended";
      /** Why; it stays so. */
      readonly ending: LinkEnding;
    };

/** Why a link is over. */
export type LinkEnding =
  /** It was disposed of. */
  | { readonly kind: "closed" }
  /** The session is over: log in, and open a new link. */
  | {
      readonly kind: "not-logged-in";
      /** SESSION_ENDED, SESSION_TIMED_OUT or TOKEN_INVALID. */
      readonly cause: RpcError;
    }
  /** The server is not the one that it was, or cannot prove it. A person has to decide. */
  | {
      readonly kind: "not-trusted";
      /** With the fingerprints, where there are any. */
      readonly cause: ConnectError;
    }
  /** The server said "stay away". */
  | {
      readonly kind: "refused";
      /** With the reason. */
      readonly cause: RpcError;
    }
  /** Something failed on this side, such as the disk. */
  | {
      readonly kind: "failed";
      /** What failed. */
      readonly cause: Error;
    };
