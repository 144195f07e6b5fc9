// The links that an operator sends to people: HOST:PORT/INVITE/FINGERPRINT to sign up, and
// HOST:PORT/reset/SECRET/FINGERPRINT to set a new password. Without TLS they have no fingerprint.
import { accountFlags } from "../command/account-flags.ts";
import { readAddress } from "../command/address.ts";
import { usage } from "../process/exit.ts";

export interface PersonalLink {
  /** HOST:PORT. */
  readonly address: string;
  /** "invite": a new user signs up with the secret. "reset": a user sets a new password with it. */
  readonly kind: "invite" | "reset";
  readonly secret: string;
  /** Undefined for a server without TLS, which must be on this machine. */
  readonly fingerprint: string | undefined;
}

/** @throws UsageError */
export function readPersonalLink(text: string): PersonalLink {
  // A fingerprint is base64, which may contain slashes.
  const [, address, kind, secret, fingerprint] =
    /^([^/]+)\/(?:(reset)\/)?([^/]+)(?:\/((?:SHA256:)?[A-Za-z0-9+/]{43}=?))?$/.exec(text) ?? [];
  if (address === undefined || secret === undefined) {
    throw usage(
      `"${text}" is not a link of a server's operator. It has the form HOST:PORT/INVITE/SHA256:… or HOST:PORT/reset/SECRET/SHA256:….`,
    );
  }
  return {
    address: readAddress(address),
    kind: kind === undefined ? "invite" : "reset",
    secret,
    fingerprint: fingerprint === undefined ? undefined : accountFlags.fingerprint.read(fingerprint),
  };
}

/** The text of a link, which readPersonalLink reads. */
export function formatPersonalLink({ address, kind, secret, fingerprint }: PersonalLink): string {
  return [
    address,
    ...(kind === "reset" ? ["reset"] : []),
    secret,
    ...(fingerprint === undefined ? [] : [fingerprint]),
  ].join("/");
}
