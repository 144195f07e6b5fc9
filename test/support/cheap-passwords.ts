// Passwords with the lowest cost that Argon2id allows, for tests that do not test the cost.
import { type PasswordCost, Passwords, type PasswordsOptions } from "../../server/auth/passwords.ts";

export const CHEAP: PasswordCost = { memoryKiB: 8, passes: 1, lanes: 1 };

export function cheapPasswords(options: Omit<PasswordsOptions, "cost"> = {}): Passwords {
  return new Passwords({ cost: CHEAP, ...options });
}
