// The users that the checks are made with: taken from a file or from the command line, or signed up for the run.
import { randomBytes } from "node:crypto";
import { AuthServiceService } from "../gen/parley/chat/v1/auth_service.ts";
import type { Who } from "./checks/check.ts";
import { Connection, type Server } from "./client/connection.ts";

export interface Account {
  readonly username: string;
  readonly password: string;
}

export type People = Readonly<Record<Who, Account>>;

export const everyone: readonly Who[] = ["ann", "ben", "cat"];

/** NAME PASSWORD a line, the file format of parley-server's --credentials. @throws Error where there are too few */
export function readUsersFile(content: string): People {
  const accounts = content
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => accountOf(line, " "));
  return threeOf(accounts);
}

/** NAME:PASSWORD, each. @throws Error */
export function readUserFlags(flags: readonly string[]): People {
  return threeOf(flags.map((flag) => accountOf(flag, ":")));
}

/**
 * Makes the users, each with the invite of its place, or the only one; none where sign-up is open.
 * @throws RpcError
 */
export async function signUp(server: Server, invites: readonly string[]): Promise<People> {
  using connection = await Connection.open(server);
  const run = randomBytes(4).toString("hex");
  const made = await Promise.all(
    everyone.map(async (who, index) => {
      const account = { username: `kit-${who}-${run}`, password: randomBytes(18).toString("base64url") };
      const invite = invites[index] ?? invites[0] ?? "";
      const request = { ...account, invite, client: undefined };
      await connection.unary(AuthServiceService.signUp, request, undefined);
      return account;
    }),
  );
  return threeOf(made);
}

function accountOf(text: string, separator: string): Account {
  const at = text.indexOf(separator);
  const account = { username: text.slice(0, Math.max(0, at)), password: text.slice(at + 1) };
  if (account.username === "" || account.password === "") {
    throw new Error(`A user is NAME${separator}PASSWORD, and one that was given is not.`);
  }
  return account;
}

function threeOf([ann, ben, cat]: readonly Account[]): People {
  if (ann === undefined || ben === undefined || cat === undefined) throw new Error("Three users are needed.");
  return { ann, ben, cat };
}
