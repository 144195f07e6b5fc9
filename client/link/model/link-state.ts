// The states of a link and the ways in which it ends.
import type { ConnectError } from "../../../rpc/dialling/dial.ts";
import type { RpcError } from "../../../rpc/status/status.ts";

/**
 * The state of a link. It goes from connecting to catching-up to live. A failure in any of these states leads
 * to waiting and then to connecting again. An ended link stays ended.
 */
export type LinkState =
  | {
      readonly phase: "connecting";
      /** The number of the attempt since the link was last live, from 1. */
      readonly attempt: number;
    }
  | { readonly phase: "catching-up" }
  | { readonly phase: "live" }
  | {
      readonly phase: "waiting";
      /** When the next attempt starts. */
      readonly retryTime: Date;
      /** The failure of the last attempt. */
      readonly cause: Error;
    }
  | {
      readonly phase: "ended";
      /** Why it ended. */
      readonly ending: LinkEnding;
    };

/** Why a link ended. */
export type LinkEnding =
  /** The program closed it. */
  | { readonly kind: "closed" }
  /** The session has ended. Log in and open a new link. */
  | {
      readonly kind: "not-logged-in";
      /** SESSION_ENDED, SESSION_TIMED_OUT or TOKEN_INVALID. */
      readonly cause: RpcError;
    }
  /** The server failed to prove that it is the trusted one. A person has to decide what to do. */
  | {
      readonly kind: "not-trusted";
      /** The failed connection; it has the fingerprints, if known. */
      readonly cause: ConnectError;
    }
  /** The server refused the stream for a reason that makes a retry pointless. */
  | {
      readonly kind: "refused";
      /** The refusal, with its reason. */
      readonly cause: RpcError;
    }
  /** The client itself failed, for example to write to the disk. */
  | {
      readonly kind: "failed";
      /** The error. */
      readonly cause: Error;
    };
