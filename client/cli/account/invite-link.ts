// Reads an invite link of `parley-server invite create`: HOST:PORT/INVITE/FINGERPRINT, or HOST:PORT/INVITE without TLS.
import { accountFlags } from "../command/account-flags.ts";
import { readAddress } from "../command/address.ts";
import { usage } from "../process/exit.ts";

export interface InviteLink {
  readonly address: string;
  readonly invite: string;
  /** Undefined for a server without TLS, which must be on this machine. */
  readonly fingerprint: string | undefined;
}

/** @throws UsageError */
export function readInviteLink(text: string): InviteLink {
  // A fingerprint is base64, which may contain slashes.
  const [, address, invite, fingerprint] =
    /^([^/]+)\/([^/]+)(?:\/((?:SHA256:)?[A-Za-z0-9+/]{43}=?))?$/.exec(text) ?? [];
  if (address === undefined || invite === undefined) {
    throw usage(
      `"${text}" is not an invite link. It has the form HOST:PORT/INVITE/SHA256:…, as the server's operator sent it.`,
    );
  }
  return {
    address: readAddress(address),
    invite,
    fingerprint: fingerprint === undefined ? undefined : accountFlags.fingerprint.read(fingerprint),
  };
}
