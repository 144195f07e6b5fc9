// parley-server user ACTION: manages the users of a data folder, even while a server uses it.

import { readArguments } from "../../command-line/arguments.ts";
import { closest, suggestionOrAll } from "../../command-line/closest.ts";
import { mapUsername } from "../../command-line/map-username.ts";
import { oneLine } from "../../command-line/one-line.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { systemClock } from "../../time/clock.ts";
import { type AddUserResult, Administration, operator } from "../admin/administration.ts";
import { Passwords } from "../auth/passwords.ts";
import { joinLine } from "../files/invite-link.ts";
import { commandLine } from "../files/package.ts";
import { formatId } from "../ids.ts";
import { type Config, loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import type { AccountRow, AccountStores, Administering } from "../store/store.ts";
import { newPassword } from "./ask.ts";
import { type Command, CommandFailure, type Replacements } from "./command.ts";
import type { Io } from "./io.ts";
import { findPlace, placeSettings } from "./links/place.ts";
import { checkExists, openAccountsOf } from "./open-accounts.ts";
import { timeText } from "./printing/time-text.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  {
    name: "password-stdin",
    isNegatable: true,
    help: "Read the password from the first line of standard input.",
  },
  { name: "bot", isNegatable: true, help: "Add a bot: it has a token, which is printed, and no password." },
  { name: "administrators", isNegatable: true, help: "List only administrators." },
];
const PAGE = 1000;

function help(): string {
  const program = commandLine("parley-server");
  return `Manages the users of the data folder. A running server applies changes within a
second.

Usage:
  ${program} user add NAME       add a user; prompts for the password
  ${program} user add NAME --bot add a bot; prints its token once
  ${program} user list           print one name on each line
  ${program} user remove NAME    remove a user; names are not reused
  ${program} user promote NAME   make a user an administrator
  ${program} user demote NAME    make an administrator an ordinary user
  ${program} user disable NAME   refuse log-ins, and end all sessions
  ${program} user enable NAME    accept log-ins again
  ${program} user unlock NAME    end the lock after wrong passwords
  ${program} user sessions NAME  print the sessions, the newest first
  ${program} user log-out NAME   end all sessions
  ${program} user reset NAME     print a link that sets a new password,
                                      once and within 24 hours; for a bot,
                                      print a new token

Administrators can do the same from a client (parley admin), and see the log-ins
of all users (parley logins --all).

Flags:
${describeFlags([...ownFlags, ...describedSettings(placeSettings)])}
`;
}

const actions = {
  add,
  list,
  remove,
  promote,
  demote,
  disable,
  enable,
  unlock,
  sessions,
  "log-out": logOut,
  reset,
} as const;

async function run(argv: readonly string[], io: Io, replacements: Replacements): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(placeSettings)]);
  const [action = "", ...names] = words;
  if (!Object.hasOwn(actions, action)) {
    const known = Object.keys(actions);
    throw new UsageError(
      action === ""
        ? `user: expected one of ${known.join(", ")}`
        : `user ${action}: no such command${suggestionOrAll(action, known)}`,
    );
  }
  if (names.length !== (action === "list" ? 0 : 1)) {
    throw new UsageError(`user ${action}: expected ${action === "list" ? "no name" : "one name"}`);
  }
  if (flags.has("administrators") && action !== "list") {
    throw new UsageError(`user ${action}: --administrators is only for user list`);
  }
  for (const flag of ["bot", "password-stdin"]) {
    if (flags.has(flag) && action !== "add")
      throw new UsageError(`user ${action}: --${flag} is only for user add`);
  }
  const config = await loadConfig({ flags });
  if (action !== "add") await checkExists(config);
  const { passwordCost, clock = systemClock } = replacements;
  const passwords = new Passwords({ cost: passwordCost });
  const isOn = (flag: string): boolean => flags.get(flag)?.[0] === "true";
  // A password is read before the database is opened, so that nothing holds it while a person types.
  const password = action === "add" && !isOn("bot") ? await newPassword(io, isOn("password-stdin")) : "";
  await using stores = await openAccountsOf(config);
  const administration = new Administration({ ...stores, passwords });
  const by = operator(clock.now());
  const request = {
    stores,
    administration,
    by,
    config,
    name: mapUsername(names[0] ?? ""),
    password,
    isOn,
    io,
  };
  await actions[action as keyof typeof actions](request);
  return 0;
}

interface Request {
  readonly stores: AccountStores;
  readonly administration: Administration;
  readonly by: Administering;
  readonly config: Config;
  readonly name: string;
  /** The password of a user to add. */
  readonly password: string;
  /** Whether a switch was given. */
  readonly isOn: (flag: string) => boolean;
  readonly io: Io;
}

async function add({ administration, by, name, password, isOn, io }: Request): Promise<void> {
  if (!isOn("bot")) {
    const { username } = added(name, await administration.addUser(name, password, by)).user;
    io.print(`${username} can log in now.\n`);
    return;
  }
  const result = await administration.addBot(name, by);
  if (!("kind" in result)) throw new Error(`the bot has no token: ${added(name, result).status}`);
  io.complain(`${result.user.username} is a bot. Its token is printed only now:\n`);
  io.print(`${result.token}\n`);
}

/** @throws UsageError, CommandFailure if the user was not added */
function added(name: string, result: AddUserResult): Extract<AddUserResult, { status: "added" }> {
  switch (result.status) {
    case "added":
      return result;
    case "name-invalid":
      throw new UsageError(result.problem);
    case "password-invalid":
      throw new CommandFailure(result.problem);
    case "name-taken":
      throw new CommandFailure(
        `the name ${name} is taken, or belonged to a removed user; names are not reused`,
      );
    case "look-alike":
      throw new CommandFailure(`the name ${name} looks too much like the name of another user`);
    case "not-administrator":
      throw new Error("the operator was taken for a user");
  }
}

async function list({ stores, isOn, io }: Request): Promise<void> {
  const onlyAdministrators = isOn("administrators");
  for await (const page of accountPages(stores)) {
    const wanted = onlyAdministrators ? page.filter(({ isAdministrator }) => isAdministrator) : page;
    io.print(wanted.map((account) => `${describe(account, onlyAdministrators)}\n`).join(""));
  }
}

/** The name, followed by what differs from an ordinary user. */
function describe(account: AccountRow, onlyAdministrators: boolean): string {
  const remarks = [
    account.isAdministrator && !onlyAdministrators ? "administrator" : "",
    account.isBot ? "bot" : "",
    account.disabledTime === undefined ? "" : `disabled since ${timeText(account.disabledTime)}`,
  ].filter((remark) => remark !== "");
  return [oneLine(account.username), ...(remarks.length === 0 ? [] : [remarks.join(", ")])].join("  ");
}

async function remove(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  if (!(await administration.removeUser(name, by))) throw await noSuchUser(request);
  io.print(`${name} is removed.\n`);
}

async function promote(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  if (!(await administration.setAdministrator(name, true, by))) throw await noSuchUser(request);
  io.print(`${name} is an administrator now.\n`);
}

async function demote(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  if (!(await administration.setAdministrator(name, false, by))) throw await noSuchUser(request);
  io.print(`${name} is no longer an administrator.\n`);
}

async function disable(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  const ended = await administration.setDisabled(name, true, by);
  if (ended === undefined) throw await noSuchUser(request);
  io.print(`${name} cannot log in any more. Sessions ended: ${ended}.\n`);
}

async function enable(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  if ((await administration.setDisabled(name, false, by)) === undefined) throw await noSuchUser(request);
  io.print(`${name} can log in again.\n`);
}

async function unlock(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  if (!(await administration.unlock(name, by))) throw await noSuchUser(request);
  io.print(`Log-ins of ${name} are not locked any more.\n`);
}

async function sessions(request: Request): Promise<void> {
  const { stores, by, name, io } = request;
  const account = await stores.admin.account(name);
  if (account === undefined) throw await noSuchUser(request);
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await stores.accounts.listSessions(account.userId, before, PAGE, by.time);
    for (const { sessionId, client, address, createTime, lastUsedTime } of page) {
      const program = [client.deviceName, [client.name, client.version].join(" ").trim()].filter(Boolean);
      const facts = `logged in ${timeText(createTime)} from ${address || "the server"}, last used ${timeText(lastUsedTime)}`;
      io.print(`${oneLine([formatId("session", sessionId), ...program, facts].join("  "))}\n`);
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    before = last.sessionId;
  }
}

async function logOut(request: Request): Promise<void> {
  const { administration, by, name, io } = request;
  const ended = await administration.endSessions(name, by);
  if (ended === undefined) throw await noSuchUser(request);
  io.print(`Sessions ended: ${ended}.\n`);
}

async function reset(request: Request): Promise<void> {
  const { stores, administration, by, config, name, io } = request;
  const account = await stores.admin.account(name);
  if (account === undefined) throw await noSuchUser(request);
  // The place is found first, because a link that is not printed would be lost.
  const place = account.isBot ? undefined : await findPlace(config, io);
  const result = await administration.resetUser(name, by);
  if (result === undefined) throw await noSuchUser(request);
  if (result.kind === "bot-token") {
    io.complain(`This is the new token of ${name}. It is printed only now, and the old one has ended:\n`);
    io.print(`${result.token}\n`);
    return;
  }
  if (place === undefined) throw new Error("the user is no longer a bot");
  io.complain(
    `Send this line to ${name} over a private channel. It sets a new password once, until ${timeText(result.expireTime)}:\n`,
  );
  io.print(`${joinLine({ ...place, kind: "reset", secret: result.secret })}\n`);
}

async function noSuchUser({ stores, name }: Request): Promise<CommandFailure> {
  const names: string[] = [];
  for await (const page of accountPages(stores)) names.push(...page.map(({ username }) => username));
  const meant = closest(name, names);
  return new CommandFailure(
    `there is no user ${oneLine(name)}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  );
}

async function* accountPages({ admin }: AccountStores): AsyncGenerator<AccountRow[]> {
  for (let after = ""; ; ) {
    const page = await admin.listAccounts(after, PAGE);
    yield page;
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    after = last.username;
  }
}
