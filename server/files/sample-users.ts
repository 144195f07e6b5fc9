// The sample users of docs/credentials.txt, whose passwords are public.
import { readFile } from "node:fs/promises";
import type { Passwords } from "../auth/passwords.ts";
import type { AccountStore } from "../store/store.ts";
import { type Credential, parseCredentials } from "./credentials-file.ts";
import { packageFile } from "./package.ts";

/** The sample users that exist in the store and still have their public password, in the file's order, at most `most`. */
export async function findSampleUsers(
  accounts: Pick<AccountStore, "userByName">,
  passwords: Passwords,
  most: number,
): Promise<Credential[]> {
  const found: Credential[] = [];
  for (const sample of await readSample()) {
    if (found.length >= most) break;
    const user = await accounts.userByName(sample.username);
    if (user !== undefined && (await passwords.verify(sample.password, user.passwordHash)))
      found.push(sample);
  }
  return found;
}

async function readSample(): Promise<Credential[]> {
  try {
    return parseCredentials(await readFile(packageFile("docs/credentials.txt"), "utf8")).credentials;
  } catch (error) {
    // A package may be built without its docs.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
