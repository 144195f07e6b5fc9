// Secrets that the server generates and stores only as hashes: tokens, device secrets, invites.
import { createHash, randomBytes } from "node:crypto";

export interface NewSecret {
  /** 256 random bits as 43 characters of base64url. The secret is sent to the client once. */
  readonly secret: string;
  /** SHA-256 of the secret, which is stored instead of it. A secret with so much entropy needs no slow hash. */
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
