// Implements ListLogIns: pages of a user's own log-ins or, for an administrator, of the log-ins of all users.
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
};

/** @throws Refusal ADMINISTRATORS_ONLY, PAGE_TOKEN_INVALID */
export async function listLogIns(
  request: ListLogInsRequest,
  { userId }: UserRow,
  accounts: AccountStore,
  logIns: LogInStore,
): Promise<ListLogInsResponse> {
  if (request.allUsers && !(await accounts.isAdministrator(userId))) {
    throw new Refusal(Reason.ADMINISTRATORS_ONLY, { field: "all_users" });
  }
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListLogIns", userId, String(request.allUsers));
  const before = tokens.readNumber(request.pageToken) ?? Number.MAX_SAFE_INTEGER;
  const rows = await logIns.listLogIns(request.allUsers ? "everyone" : userId, before, size + 1);
  const { items, next } = pageOf(rows, size, toRecord, LogInRecord);
  return { logIns: items, nextPageToken: next === undefined ? "" : tokens.make(String(next.logInId)) };
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
