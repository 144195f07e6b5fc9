// parley-server user add|list|remove|promote|demote: the users of a data folder, also while a server runs on it.
import { existsSync } from "node:fs";
import { type Arguments, readArguments } from "../../command-line/arguments.ts";
import { closest, suggestion } from "../../command-line/closest.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { type PasswordCost, Passwords } from "../auth/passwords.ts";
import { enforceUsername, misleading, skeleton } from "../auth/username.ts";
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
    help: "Take the password from the first line of standard input.",
  },
  { name: "administrators", isNegatable: true, help: "List the administrators alone." },
];
const settings = ["data", "config"] as const;

function help(): string {
  const program = commandLine("parley-server");
  return `Users of the data folder. A running server notices within a second.

Usage:
  ${program} user add NAME      asks for the password
  ${program} user list          one name a line
  ${program} user remove NAME   ends the log-ins, keeps the name taken
  ${program} user promote NAME  makes an administrator
  ${program} user demote NAME   makes an administrator one no more

An administrator may see everybody's log-ins (parley logins --all).

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
        ? `user: say one of ${known.join(", ")}`
        : `user ${action}: no such command${suggestion(action, known)}`,
    );
  }
  if (names.length !== (action === "list" ? 0 : 1)) {
    throw new UsageError(`user ${action}: expected ${action === "list" ? "no name" : "one name"}`);
  }
  if (flags.has("administrators") && action !== "list") {
    throw new UsageError(`user ${action}: --administrators goes with user list only`);
  }
  const data = dataOf(await loadConfig({ flags }));
  const { database } = dataFiles(data);
  // A mistyped folder must not look like a server without users.
  if (action !== "add" && !existsSync(database)) {
    throw new CommandFailure(`there is no Parley data in ${data}; --data names another folder`);
  }
  await actions[action as keyof typeof actions]({ database, name: names[0] ?? "", flags, io, passwordCost });
  return 0;
}

interface Wish {
  readonly database: string;
  readonly name: string;
  readonly flags: Arguments["flags"];
  readonly io: Io;
  readonly passwordCost: PasswordCost | undefined;
}

async function add({ database, name, flags, io, passwordCost }: Wish): Promise<void> {
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
      throw new CommandFailure(`the name ${username} is taken, or was: no name is given out twice`);
    case "look-alike":
      throw new CommandFailure(`the name ${username} looks too much like one that is taken`);
    case "invite-invalid":
      throw new Error("asked for an invite where none is needed");
  }
}

async function list({ database, flags, io }: Wish): Promise<void> {
  using direct = openAccountsDirectly(database);
  const isWanted = flags.get("administrators")?.[0] === "true";
  for (const page of isWanted ? [direct.accounts.administrators()] : namePages(direct)) {
    io.print(page.map((name) => `${name}\n`).join(""));
  }
}

async function remove({ database, name, io }: Wish): Promise<void> {
  using direct = openAccountsDirectly(database);
  if (!direct.accounts.removeUser(name)) throw noSuchUser(name, direct);
  io.print(`${name} is removed.\n`);
}

async function promote({ database, name, io }: Wish): Promise<void> {
  using direct = openAccountsDirectly(database);
  if (!direct.accounts.setAdministrator(name, true)) throw noSuchUser(name, direct);
  io.print(`${name} is an administrator now.\n`);
}

async function demote({ database, name, io }: Wish): Promise<void> {
  using direct = openAccountsDirectly(database);
  if (!direct.accounts.setAdministrator(name, false)) throw noSuchUser(name, direct);
  io.print(`${name} is no administrator now.\n`);
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
