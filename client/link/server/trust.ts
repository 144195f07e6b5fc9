// Decides whether to trust a server at the first contact, and whether its key has changed. The caller asks the person.
import type { Trust } from "../../../rpc/dialling/dial.ts";

/** The key that a server presented. */
export interface PresentedKey {
  /** "SHA256:" and the hash of the public key. */
  readonly fingerprint: string;
  /** The certificate verifies against the system's root certificates, for this address. */
  readonly trustedBySystem: boolean;
}

/** What the user specified about the server's key. */
export interface TrustPolicy {
  /** The only fingerprint to accept, from `--fingerprint` or an invite. */
  readonly fingerprint?: string | undefined;
  /** Accept any key at the first contact (`--accept-new`), but no changed key. */
  readonly acceptNew?: boolean;
}

/** The decision about a server. */
export type TrustDecision =
  /** Use this trust. */
  | {
      readonly verdict: "accept";
      /** The trust to store and to use from now on. */
      readonly trust: Trust;
      /** Show the new key to the person: it was accepted without a question, because the server is local. */
      readonly notice: boolean;
    }
  /** A person has to compare the fingerprint first. */
  | {
      readonly verdict: "ask";
      /** The fingerprint to compare. */
      readonly fingerprint: string;
    }
  /** The key is not the known one: do not connect. */
  | {
      readonly verdict: "changed";
      /** The expected fingerprint; undefined if the system's root certificates verified the server before. */
      readonly known: string | undefined;
      /** The fingerprint of the presented key. */
      readonly found: string;
    };

/** Decides about the key that the server at the address presented. @param known the stored trust */
export function checkTrust(
  address: string,
  found: PresentedKey,
  known: Trust | undefined,
  policy: TrustPolicy = {},
): TrustDecision {
  const pin: TrustDecision = {
    verdict: "accept",
    trust: { kind: "pin", fingerprint: found.fingerprint },
    notice: false,
  };
  // A fingerprint from the user overrides the stored one: this is how a user accepts a changed key.
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

/** Whether the host of HOST:PORT is a loopback address or name. */
export function isLoopback(address: string): boolean {
  const host = address
    .replace(/:\d*$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
