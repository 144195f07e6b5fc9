// Reads what `parley-server invite create` wrote for a friend: HOST:PORT/INVITE/FINGERPRINT, or without TLS HOST:PORT/INVITE.
import { accountFlags } from "../command/account-flags.ts";
import { readAddress } from "../command/address.ts";
import { usage } from "../process/exit.ts";

export interface InviteLink {
  readonly address: string;
  readonly invite: string;
  /** Undefined where the server speaks plaintext, which only this machine's may. */
  readonly fingerprint: string | undefined;
}

/** @throws UsageError */
export function readInviteLink(text: string): InviteLink {
  // A fingerprint is base64, and may hold more slashes.
  const [, address, invite, fingerprint] = /^([^/]+)\/([^/]+)(?:\/(.+))?$/.exec(text) ?? [];
  if (address === undefined || invite === undefined) {
    throw usage(
      `"${text}" is no invite link: it is HOST:PORT/INVITE/SHA256:…, as the server's operator sent it.`,
    );
  }
  return {
    address: readAddress(address),
    invite,
    fingerprint: fingerprint === undefined ? undefined : accountFlags.fingerprint.read(fingerprint),
  };
}
