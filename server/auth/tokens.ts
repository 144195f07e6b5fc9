// Secrets that the server makes and then knows only by their hash: tokens, device secrets, invites.
import { createHash, randomBytes } from "node:crypto";

export interface NewSecret {
  /** 43 characters of base64url: 256 random bits. Shown once. */
  readonly secret: string;
  /** Its SHA-256: what is stored. A plain hash is enough for a secret that nobody can guess. */
  readonly hash: Buffer;
}

export function newSecret(): NewSecret {
  const secret = randomBytes(32).toString("base64url");
  // A leading dash would make an invite look like a flag on a command line.
  if (secret.startsWith("-")) return newSecret();
  return { secret, hash: hashSecret(secret) };
}

/** SHA-256 of the secret's text, 32 bytes. */
export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
