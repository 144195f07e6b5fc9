// Gets the three users of a run from a file or the command line, or signs them up for the run.
import { randomBytes } from "node:crypto";
import { AuthServiceService } from "../gen/parley/chat/v1/auth_service.ts";
import type { UserKey } from "./checks/check.ts";
import { Connection, type Server } from "./client/connection.ts";

export interface TestAccount {
  readonly username: string;
  readonly password: string;
}

export type Users = Readonly<Record<UserKey, TestAccount>>;

export const userKeys: readonly UserKey[] = ["ann", "ben", "cat"];

/** Reads NAME PASSWORD lines, the format of parley-server's --credentials. @throws Error if there are too few users */
export function readUsersFile(content: string): Users {
  const accounts = content
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => accountOf(line, " "));
  return threeOf(accounts);
}

/** Reads NAME:PASSWORD flags. @throws Error if one is not valid, or there are too few */
export function readUserFlags(flags: readonly string[]): Users {
  return threeOf(flags.map((flag) => accountOf(flag, ":")));
}

/**
 * Signs the users up, each with the invite at the user's position, or all with the only one. If sign-up is open, no
 * invites are needed.
 * @throws RpcError
 */
export async function signUp(server: Server, invites: readonly string[]): Promise<Users> {
  using connection = await Connection.open(server);
  const run = randomBytes(4).toString("hex");
  const made = await Promise.all(
    userKeys.map(async (who, index) => {
      const account = { username: `kit-${who}-${run}`, password: randomBytes(18).toString("base64url") };
      const invite = invites[index] ?? invites[0] ?? "";
      const request = { ...account, invite, client: undefined };
      await connection.unary(AuthServiceService.signUp, request, undefined);
      return account;
    }),
  );
  return threeOf(made);
}

function accountOf(text: string, separator: string): TestAccount {
  const at = text.indexOf(separator);
  const account = { username: text.slice(0, Math.max(0, at)), password: text.slice(at + 1) };
  if (account.username === "" || account.password === "") {
    throw new Error(`A user must be given as NAME${separator}PASSWORD.`);
  }
  return account;
}

function threeOf([ann, ben, cat]: readonly TestAccount[]): Users {
  if (ann === undefined || ben === undefined || cat === undefined) throw new Error("Three users are needed.");
  return { ann, ben, cat };
}
