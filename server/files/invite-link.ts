// The links that an operator sends to people: one argument that contains the address, a secret and the fingerprint.
import { isIP } from "node:net";

export interface PersonalLink {
  readonly host: string;
  readonly port: number;
  /** "invite": a new user signs up with the secret. "reset": a user sets a new password with it. */
  readonly kind: "invite" | "reset";
  readonly secret: string;
  /** The fingerprint of the server's key, "SHA256:…"; undefined if the server serves plaintext. */
  readonly fingerprint: string | undefined;
}

/** Formats HOST:PORT, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Formats HOST:PORT/INVITE/FINGERPRINT or HOST:PORT/reset/SECRET/FINGERPRINT, without the last part if the server serves
 * plaintext. Further slashes are part of the fingerprint, because its base64 can contain them.
 */
export function formatLink({ host, port, kind, secret, fingerprint }: PersonalLink): string {
  return [
    formatAddress(host, port),
    ...(kind === "reset" ? ["reset"] : []),
    secret,
    ...(fingerprint === undefined ? [] : [fingerprint]),
  ].join("/");
}

/**
 * The command line to send to the person. The link is quoted if a shell could take the brackets of its address for a
 * pattern.
 */
export function joinLine(link: PersonalLink): string {
  const argument = formatLink(link);
  return `parley join ${argument.includes("[") ? `'${argument}'` : argument}`;
}
