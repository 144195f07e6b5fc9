// Secrets: 256 random bits as text, and their hash.
import { expect, test } from "vitest";
import { hashSecret, newSecret } from "../../../server/auth/tokens.ts";

test("a secret is 43 characters of base64url and never begins with a dash", () => {
  const secrets = Array.from({ length: 500 }, () => newSecret().secret);
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{42}$/);
  expect(new Set(secrets).size).toBe(500);
});

test("the hash is the SHA-256 of the text", () => {
  const { secret, hash } = newSecret();
  expect(hash).toHaveLength(32);
  expect(hashSecret(secret)).toEqual(hash);
  expect(hashSecret(`${secret}x`)).not.toEqual(hash);
});
