// The actions of `parley admin user`.
import {
  Account,
  AddUserResponse,
  EndUserSessionsResponse,
  RemoveUserResponse,
  ResetUserResponse,
  SetAdministratorResponse,
  SetDisabledResponse,
  UnlockUserResponse,
} from "../../../gen/parley/chat/v1/admin_service.ts";
import { Session } from "../../../gen/parley/chat/v1/auth_service.ts";
import { requirePassword, withNewPassword } from "../account/credentials.ts";
import { name, time } from "../command/show.ts";
import { sessionLine } from "../log/show-sessions.ts";
import { terminalAsker } from "../process/prompts.ts";
import { line } from "../terminal/text/style.ts";
import { type AdminAction, type AdminCall, itemsOf, printed } from "./admin-call.ts";
import { joinLine } from "./link-to-server.ts";

export const userActions: readonly AdminAction[] = [
  { name: "user add", subject: "NAME", run: add },
  { name: "user list", subject: "", run: list },
  { name: "user remove", subject: "NAME", run: remove },
  { name: "user promote", subject: "NAME", run: (admin) => setAdministrator(admin, true) },
  { name: "user demote", subject: "NAME", run: (admin) => setAdministrator(admin, false) },
  { name: "user disable", subject: "NAME", run: (admin) => setDisabled(admin, true) },
  { name: "user enable", subject: "NAME", run: (admin) => setDisabled(admin, false) },
  { name: "user unlock", subject: "NAME", run: unlock },
  { name: "user sessions", subject: "NAME", run: sessions },
  { name: "user log-out", subject: "NAME", run: logOut },
  { name: "user reset", subject: "NAME", run: reset },
];

async function add(admin: AdminCall): Promise<void> {
  const { call, calls, subject } = admin;
  const bot = call.values.bot === true;
  const asker = terminalAsker(call.environment);
  if (!bot) requirePassword(call, asker);
  const addWith = (password: string) => calls.call("addUser", { username: subject, password, bot });
  const response = await (bot ? addWith("") : withNewPassword(call, asker, addWith));
  const username = response.user?.username ?? subject;
  if (bot && !call.json) call.output.notice(`${username} is a bot. Its token is printed only now:`);
  const text = bot ? line`${response.botToken}` : line`${name(username)} can log in now.`;
  await printed(admin, "AddUserResponse", AddUserResponse, response, text);
}

async function list(admin: AdminCall): Promise<void> {
  const accounts = itemsOf(async (page) => {
    const { accounts: items, nextPageToken } = await admin.calls.call("listAccounts", page);
    return { items, nextPageToken };
  });
  for await (const account of accounts) {
    const remarks = [
      account.administrator ? "administrator" : "",
      account.bot ? "bot" : "",
      account.disabledTime === undefined ? "" : `disabled since ${time(account.disabledTime)}`,
    ].filter((remark) => remark !== "");
    const remark = remarks.length === 0 ? "" : `  ${remarks.join(", ")}`;
    await printed(admin, "Account", Account, account, line`${name(account.user?.username ?? "")}${remark}`);
  }
}

async function remove(admin: AdminCall): Promise<void> {
  const { calls, subject } = admin;
  const response = await calls.call("removeUser", { username: subject });
  await printed(
    admin,
    "RemoveUserResponse",
    RemoveUserResponse,
    response,
    line`${name(subject)} is removed.`,
  );
}

async function setAdministrator(admin: AdminCall, administrator: boolean): Promise<void> {
  const { calls, subject } = admin;
  const response = await calls.call("setAdministrator", { username: subject, administrator });
  const text = administrator
    ? line`${name(subject)} is an administrator now.`
    : line`${name(subject)} is no longer an administrator.`;
  await printed(admin, "SetAdministratorResponse", SetAdministratorResponse, response, text);
}

async function setDisabled(admin: AdminCall, disabled: boolean): Promise<void> {
  const { calls, subject } = admin;
  const response = await calls.call("setDisabled", { username: subject, disabled });
  const text = disabled
    ? line`${name(subject)} cannot log in any more. Sessions ended: ${response.endedSessions}.`
    : line`${name(subject)} can log in again.`;
  await printed(admin, "SetDisabledResponse", SetDisabledResponse, response, text);
}

async function unlock(admin: AdminCall): Promise<void> {
  const { calls, subject } = admin;
  const response = await calls.call("unlockUser", { username: subject });
  const text = line`Log-ins of ${name(subject)} are not locked any more.`;
  await printed(admin, "UnlockUserResponse", UnlockUserResponse, response, text);
}

async function sessions(admin: AdminCall): Promise<void> {
  const { calls, subject } = admin;
  const all = itemsOf(async (page) => {
    const request = { username: subject, ...page };
    const { sessions: items, nextPageToken } = await calls.call("listUserSessions", request);
    return { items, nextPageToken };
  });
  for await (const session of all) await printed(admin, "Session", Session, session, sessionLine(session));
}

async function logOut(admin: AdminCall): Promise<void> {
  const { calls, subject } = admin;
  const response = await calls.call("endUserSessions", { username: subject });
  const text = line`Sessions ended: ${response.endedSessions}.`;
  await printed(admin, "EndUserSessionsResponse", EndUserSessionsResponse, response, text);
}

async function reset(admin: AdminCall): Promise<void> {
  const { call, calls, signedIn, subject } = admin;
  const response = await calls.call("resetUser", { username: subject });
  const { result } = response;
  if (result?.$case === "botToken") {
    if (!call.json) {
      call.output.notice(`The new token of ${subject} is printed only now, and the old one has ended:`);
    }
    await printed(admin, "ResetUserResponse", ResetUserResponse, response, line`${result.value.token}`);
    return;
  }
  if (result === undefined) throw new Error("The server's answer to a reset has no secret.");
  const { reset: secret, expireTime } = result.value;
  if (!call.json) {
    call.output.notice(
      `Send this line to ${subject} over a private channel. It sets a new password once, until ${time(expireTime)}:`,
    );
  }
  const text = line`${await joinLine(signedIn, "reset", secret)}`;
  await printed(admin, "ResetUserResponse", ResetUserResponse, response, text);
}
