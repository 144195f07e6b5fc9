// What an invited friend types: one argument that carries address, invite and fingerprint.
import { isIP } from "node:net";

export interface InviteLink {
  readonly host: string;
  readonly port: number;
  /** The invite's secret. */
  readonly invite: string;
  /** Of the server's key, "SHA256:…"; undefined where the server speaks plaintext. */
  readonly fingerprint: string | undefined;
}

/** HOST:PORT, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * HOST:PORT/INVITE/FINGERPRINT, or HOST:PORT/INVITE without TLS. The first two slashes part it: a fingerprint is
 * base64 and may hold more.
 */
export function formatInviteLink({ host, port, invite, fingerprint }: InviteLink): string {
  return [formatAddress(host, port), invite, ...(fingerprint === undefined ? [] : [fingerprint])].join("/");
}

/** The whole line to send, fit for any shell: some take an address's brackets for a pattern. */
export function joinLine(link: InviteLink): string {
  const argument = formatInviteLink(link);
  return `parley join ${argument.includes("[") ? `'${argument}'` : argument}`;
}
