// The actions of `parley admin` that print a record: logins and actions.
import { AdminAction as ActionMessage, AdminActionKind } from "../../../gen/parley/chat/v1/admin_service.ts";
import { LogInRecord } from "../../../gen/parley/chat/v1/auth_service.ts";
import { name, time } from "../command/show.ts";
import { logInLine } from "../log/show-log-ins.ts";
import { line } from "../terminal/text/style.ts";
import { type AdminAction, type AdminCall, itemsOf, printed } from "./admin-call.ts";

export const recordActions: readonly AdminAction[] = [
  { name: "logins", subject: "[NAME]", run: logins },
  { name: "actions", subject: "", run: actions },
];

const words: Readonly<Partial<Record<AdminActionKind, string>>> = {
  [AdminActionKind.ADD_USER]: "added",
  [AdminActionKind.ADD_BOT]: "added the bot",
  [AdminActionKind.REMOVE_USER]: "removed",
  [AdminActionKind.PROMOTE]: "promoted",
  [AdminActionKind.DEMOTE]: "demoted",
  [AdminActionKind.DISABLE]: "disabled",
  [AdminActionKind.ENABLE]: "enabled",
  [AdminActionKind.UNLOCK]: "unlocked",
  [AdminActionKind.LOG_OUT]: "logged out",
  [AdminActionKind.RESET]: "made a reset link for",
  [AdminActionKind.NEW_BOT_TOKEN]: "replaced the token of",
  [AdminActionKind.CREATE_INVITE]: "created the invite",
  [AdminActionKind.REVOKE_INVITE]: "revoked the invite",
};

async function logins(admin: AdminCall): Promise<void> {
  const { call, signedIn, subject } = admin;
  let left = call.values.count ?? 50;
  const wanted = subject === "" ? { allUsers: true } : { username: subject };
  for await (const record of signedIn.account.listLogIns(wanted)) {
    await printed(admin, "LogInRecord", LogInRecord, record, logInLine(record, true));
    left -= 1;
    if (left === 0) return;
  }
}

async function actions(admin: AdminCall): Promise<void> {
  let left = admin.call.values.count ?? 50;
  const all = itemsOf(async (page) => {
    const { actions: items, nextPageToken } = await admin.calls.call("listAdminActions", page);
    return { items, nextPageToken };
  });
  for await (const action of all) {
    const who = action.administrator === "" ? line`the operator` : line`${name(action.administrator)}`;
    const from = action.address === "" ? "" : ` (${action.address})`;
    const what = words[action.kind] ?? "changed";
    const text = line`${time(action.time)}  ${who}${from} ${what} ${name(action.subject)}`;
    await printed(admin, "AdminAction", ActionMessage, action, text);
    left -= 1;
    if (left === 0) return;
  }
}
