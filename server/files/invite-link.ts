// The invite link: one argument that contains address, invite and fingerprint.
import { formatAddress } from "../../rpc/network/address.ts";

export interface InviteLink {
  readonly host: string;
  readonly port: number;
  /** The invite's secret. */
  readonly invite: string;
  /** The fingerprint of the server's key, "SHA256:…"; undefined if the server serves plaintext. */
  readonly fingerprint: string | undefined;
}

/**
 * Formats HOST:PORT/INVITE/FINGERPRINT, or HOST:PORT/INVITE without TLS. Only the first two slashes are separators,
 * because the base64 of a fingerprint can contain more.
 */
export function formatInviteLink({ host, port, invite, fingerprint }: InviteLink): string {
  return [formatAddress({ host, port }), invite, ...(fingerprint === undefined ? [] : [fingerprint])].join(
    "/",
  );
}

/**
 * The command line to send to the new user. The link is quoted if a shell could take the brackets of its address for a
 * pattern.
 */
export function joinLine(link: InviteLink): string {
  const argument = formatInviteLink(link);
  return `parley join ${argument.includes("[") ? `'${argument}'` : argument}`;
}
