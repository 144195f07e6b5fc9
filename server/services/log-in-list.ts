// Implements ListLogIns: pages of a user's own log-ins or, for an administrator, of the log-ins of all users.

import { mapUsername } from "../../command-line/map-username.ts";
import {
  type ListLogInsRequest,
  type ListLogInsResponse,
  LogInRecord,
  LogInOutcome as WireOutcome,
} from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { AccountStore, LogInOutcome, LogInRow, LogInStore, UserRow } from "../store/store.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

const outcomes: Record<LogInOutcome, WireOutcome> = {
  "logged-in": WireOutcome.LOGGED_IN,
  "wrong-password": WireOutcome.WRONG_PASSWORD,
  locked: WireOutcome.LOCKED,
  "refused-locked": WireOutcome.REFUSED_LOCKED,
  "too-many-sessions": WireOutcome.TOO_MANY_SESSIONS,
  "device-invalid": WireOutcome.DEVICE_INVALID,
  disabled: WireOutcome.DISABLED,
  "password-reset": WireOutcome.PASSWORD_RESET,
};

/** @throws Refusal ADMINISTRATORS_ONLY, USER_NOT_FOUND, INVALID_FIELD, PAGE_TOKEN_INVALID */
export async function listLogIns(
  request: ListLogInsRequest,
  { userId }: UserRow,
  accounts: AccountStore,
  logIns: LogInStore,
): Promise<ListLogInsResponse> {
  const whose = await wanted(request, userId, accounts);
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListLogIns", userId, String(request.allUsers), request.username);
  const before = tokens.readNumber(request.pageToken) ?? Number.MAX_SAFE_INTEGER;
  const rows = await logIns.listLogIns(whose, before, size + 1);
  const { items, next } = pageOf(rows, size, toRecord, LogInRecord);
  return { logIns: items, nextPageToken: next === undefined ? "" : tokens.make(String(next.logInId)) };
}

/** Whose log-ins the request asks for, and may see. */
async function wanted(
  { allUsers, username }: ListLogInsRequest,
  userId: number,
  accounts: AccountStore,
): Promise<number | "everyone"> {
  if (!allUsers && username === "") return userId;
  const field = allUsers ? "all_users" : "username";
  if (!(await accounts.isAdministrator(userId))) throw new Refusal(Reason.ADMINISTRATORS_ONLY, { field });
  if (username === "") return "everyone";
  if (allUsers) {
    throw new Refusal(Reason.INVALID_FIELD, { field: "username", message: "Not together with all_users." });
  }
  const user = await accounts.userByName(mapUsername(username));
  if (user === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field });
  return user.userId;
}

function toRecord(row: LogInRow): LogInRecord {
  return {
    time: new Date(row.time),
    username: row.username,
    deviceId: row.deviceId === undefined ? "" : formatId("device", row.deviceId),
    client: row.client,
    address: row.address,
    outcome: outcomes[row.outcome],
    count: row.count,
    firstTime: new Date(row.firstTime),
  };
}
