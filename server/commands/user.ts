// parley-server user add|list|remove|promote|demote: manages the users of a data folder, even while a server uses it.
import { existsSync } from "node:fs";
import { type Arguments, readArguments } from "../../command-line/arguments.ts";
import { closest, suggestion } from "../../command-line/closest.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { type PasswordCost, Passwords } from "../auth/passwords.ts";
import { enforceUsername, mapUsername, misleading, skeleton } from "../auth/username.ts";
import { dataFiles } from "../files/data-folder.ts";
import { commandLine } from "../files/package.ts";
import { dataOf, loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import { type DirectAccounts, openAccountsDirectly } from "../store/sqlite/direct-accounts.ts";
import { newPassword } from "./ask.ts";
import { type Command, CommandFailure, type Replacements } from "./command.ts";
import type { Io } from "./io.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  {
    name: "password-stdin",
    isNegatable: true,
    help: "Read the password from the first line of standard input.",
  },
  { name: "administrators", isNegatable: true, help: "List only administrators." },
];
const settings = ["data", "config"] as const;

function help(): string {
  const program = commandLine("parley-server");
  return `Manages the users of the data folder. A running server applies changes within a
second.

Usage:
  ${program} user add NAME      add a user; prompts for the password
  ${program} user list          print one name on each line
  ${program} user remove NAME   remove a user; names are not reused
  ${program} user promote NAME  make a user an administrator
  ${program} user demote NAME   make an administrator an ordinary user

Administrators can see the log-ins of all users (parley logins --all).

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

const actions = { add, list, remove, promote, demote } as const;

async function run(argv: readonly string[], io: Io, { passwordCost }: Replacements): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  const [action = "", ...names] = words;
  if (!Object.hasOwn(actions, action)) {
    const known = Object.keys(actions);
    throw new UsageError(
      action === ""
        ? `user: expected one of ${known.join(", ")}`
        : `user ${action}: no such command${suggestion(action, known)}`,
    );
  }
  if (names.length !== (action === "list" ? 0 : 1)) {
    throw new UsageError(`user ${action}: expected ${action === "list" ? "no name" : "one name"}`);
  }
  if (flags.has("administrators") && action !== "list") {
    throw new UsageError(`user ${action}: --administrators is only for user list`);
  }
  const data = dataOf(await loadConfig({ flags }));
  const { database } = dataFiles(data);
  // The database is not created, because a mistyped folder would then look like a server without users.
  if (action !== "add" && !existsSync(database)) {
    throw new CommandFailure(`there is no Parley data in ${data}; give another folder with --data`);
  }
  await actions[action as keyof typeof actions]({
    database,
    name: mapUsername(names[0] ?? ""),
    flags,
    io,
    passwordCost,
  });
  return 0;
}

interface Request {
  readonly database: string;
  readonly name: string;
  readonly flags: Arguments["flags"];
  readonly io: Io;
  readonly passwordCost: PasswordCost | undefined;
}

async function add({ database, name, flags, io, passwordCost }: Request): Promise<void> {
  const checked = enforceUsername(name);
  if (!checked.ok) throw new UsageError(checked.problem);
  const problem = misleading(checked.username);
  if (problem !== undefined) throw new UsageError(problem);
  const password = await newPassword(io, flags.get("password-stdin")?.[0] === "true");
  const passwords = new Passwords({ cost: passwordCost });
  const verdict = passwords.checkNew(password);
  if (!verdict.ok) throw new CommandFailure(verdict.problem);
  const passwordHash = await passwords.hash(password);
  using direct = openAccountsDirectly(database);
  const { username } = checked;
  const result = direct.accounts.addUser({
    username,
    skeleton: skeleton(username),
    passwordHash,
    time: Date.now(),
    refuseLookAlike: true,
  });
  switch (result.status) {
    case "added":
      io.print(`${username} can log in now.\n`);
      return;
    case "name-taken":
      throw new CommandFailure(
        `the name ${username} is taken, or belonged to a removed user; names are not reused`,
      );
    case "look-alike":
      throw new CommandFailure(`the name ${username} looks too much like the name of another user`);
    case "invite-invalid":
      throw new Error("the store required an invite");
  }
}

async function list({ database, flags, io }: Request): Promise<void> {
  using direct = openAccountsDirectly(database);
  const isWanted = flags.get("administrators")?.[0] === "true";
  for (const page of isWanted ? [direct.accounts.administrators()] : namePages(direct)) {
    io.print(page.map((name) => `${name}\n`).join(""));
  }
}

async function remove({ database, name, io }: Request): Promise<void> {
  using direct = openAccountsDirectly(database);
  if (!direct.accounts.removeUser(name)) throw noSuchUser(name, direct);
  io.print(`${name} is removed.\n`);
}

async function promote({ database, name, io }: Request): Promise<void> {
  using direct = openAccountsDirectly(database);
  if (!direct.accounts.setAdministrator(name, true)) throw noSuchUser(name, direct);
  io.print(`${name} is an administrator now.\n`);
}

async function demote({ database, name, io }: Request): Promise<void> {
  using direct = openAccountsDirectly(database);
  if (!direct.accounts.setAdministrator(name, false)) throw noSuchUser(name, direct);
  io.print(`${name} is no longer an administrator.\n`);
}

function noSuchUser(name: string, direct: DirectAccounts): CommandFailure {
  const meant = closest(name, [...namePages(direct)].flat());
  return new CommandFailure(
    `there is no user ${name}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  );
}

function* namePages({ accounts }: DirectAccounts): Generator<string[]> {
  const size = 1000;
  for (let after = ""; ; ) {
    const page = accounts.listUsers(after, size).map(({ username }) => username);
    yield page;
    const last = page.at(-1);
    if (page.length < size || last === undefined) return;
    after = last;
  }
}
