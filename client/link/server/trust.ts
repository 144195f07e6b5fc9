// Whether to trust a server at first contact, and when its key is not the one that was pinned. The caller does the asking.
import type { Trust } from "../../../rpc/dialling/dial.ts";

/** What one look at the server found. */
export interface Found {
  /** "SHA256:" and the hash of its public key. */
  readonly fingerprint: string;
  /** Its certificate verifies against the system's roots, for this address. */
  readonly trustedBySystem: boolean;
}

/** What was said about the server, beside what is known from before. */
export interface TrustPolicy {
  /** The only fingerprint to accept (`--fingerprint`, or the one in an invite). */
  readonly fingerprint?: string | undefined;
  /** Accept any key at first contact (`--accept-new`); never a changed one. */
  readonly acceptNew?: boolean;
}

/** What to do about the server. */
export type TrustDecision =
  /** Go on with this trust. `notice`: the key is new, and was accepted without asking because the server is local. */
  | {
      readonly verdict: "accept";
      /** To be remembered, and used from now on. */
      readonly trust: Trust;
      /** A person should be told of the new key. */
      readonly notice: boolean;
    }
  /** A person has to compare the fingerprint. */
  | {
      readonly verdict: "ask";
      /** The one to compare. */
      readonly fingerprint: string;
    }
  /** A hard stop: the key is not the known one. `known` is undefined where the system's roots vouched for it before. */
  | {
      readonly verdict: "changed";
      /** The fingerprint that was expected. */
      readonly known: string | undefined;
      /** The fingerprint that the server has. */
      readonly found: string;
    };

/** Decides on what was found at the address, beside what is known from before. */
export function checkTrust(
  address: string,
  found: Found,
  known: Trust | undefined,
  policy: TrustPolicy = {},
): TrustDecision {
  const pin: TrustDecision = {
    verdict: "accept",
    trust: { kind: "pin", fingerprint: found.fingerprint },
    notice: false,
  };
  // A fingerprint that the person gave outranks what is remembered: so a changed key is accepted on purpose.
  if (policy.fingerprint !== undefined) {
    if (policy.fingerprint === found.fingerprint) return pin;
    return { verdict: "changed", known: policy.fingerprint, found: found.fingerprint };
  }
  if (known?.kind === "pin") {
    if (known.fingerprint === found.fingerprint) return pin;
    return { verdict: "changed", known: known.fingerprint, found: found.fingerprint };
  }
  if (found.trustedBySystem) return { verdict: "accept", trust: { kind: "system" }, notice: false };
  if (known?.kind === "system") return { verdict: "changed", known: undefined, found: found.fingerprint };
  if (policy.acceptNew === true) return pin;
  if (isLoopback(address)) return { ...pin, notice: true };
  return { verdict: "ask", fingerprint: found.fingerprint };
}

/** Whether the host of HOST:PORT can only be this machine. */
export function isLoopback(address: string): boolean {
  const host = address
    .replace(/:\d*$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
