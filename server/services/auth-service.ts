// Implements AuthService with the rules of auth/: log-ins, sessions and passwords.
import {
  AuthServiceService,
  type ListSessionsRequest,
  type ListSessionsResponse,
  Session,
} from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { peerHost } from "../../rpc/network/address.ts";
import type { Clock } from "../../time/clock.ts";
import { describeClient } from "../auth/client-description.ts";
import type { LogIns } from "../auth/log-ins.ts";
import type { Sessions } from "../auth/sessions.ts";
import type { UserAccounts } from "../auth/user-accounts.ts";
import { toUser } from "../auth/user-messages.ts";
import { parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { AccountStore, LogInStore, SessionRow } from "../store/store.ts";
import { type Gate, page } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";
import { listDevices } from "./device-list.ts";
import { listLogIns } from "./log-in-list.ts";
import { toSession } from "./session-list.ts";

export interface AuthServiceParts {
  readonly gate: Gate;
  readonly sessions: Sessions;
  readonly userAccounts: UserAccounts;
  readonly logIns: LogIns;
  readonly logInStore: LogInStore;
  readonly accounts: AccountStore;
  readonly clock: Clock;
  readonly options: ServiceOptions;
}

export function authService(parts: AuthServiceParts) {
  const { gate, sessions, userAccounts, logIns, logInStore, accounts, clock, options } = parts;
  return implementService(
    AuthServiceService,
    {
      logIn: gate.forAnyone(async (request, call) => {
        checkEntered("username", request.username, limits.passwordBytes);
        checkEntered("password", request.password, limits.passwordBytes);
        checkLength("device.device_id", request.device?.deviceId ?? "", limits.idBytes);
        checkLength("device.device_secret", request.device?.deviceSecret ?? "", limits.secretBytes);
        const client = describeClient(request.client, "client");
        const { username, password, device } = request;
        return {
          grant: await logIns.logIn({ username, password, device, client, address: peerHost(call.peer) }),
        };
      }),

      signUp: gate.forAnyone(async (request, call) => {
        checkEntered("username", request.username, limits.passwordBytes);
        checkEntered("password", request.password, limits.passwordBytes);
        checkLength("invite", request.invite, limits.secretBytes);
        const client = describeClient(request.client, "client");
        const { username, password, invite } = request;
        const address = peerHost(call.peer);
        return { grant: await userAccounts.signUp({ username, password, invite, client, address }) };
      }),

      resetPassword: gate.forAnyone(async (request, call) => {
        checkEntered("reset", request.reset, limits.secretBytes);
        checkEntered("new_password", request.newPassword, limits.passwordBytes);
        const client = describeClient(request.client, "client");
        const { reset, newPassword } = request;
        return userAccounts.resetPassword({ reset, newPassword, client, address: peerHost(call.peer) });
      }),

      logOut: gate.forSession(async (_request, { row }) => {
        await sessions.end(row.user.userId, row.sessionId);
        return {};
      }, free),

      changePassword: gate.forSession(async (request, { row }) => {
        checkEntered("old_password", request.oldPassword, limits.passwordBytes);
        checkEntered("new_password", request.newPassword, limits.passwordBytes);
        const { oldPassword, newPassword } = request;
        return { endedSessions: await userAccounts.changePassword(row, oldPassword, newPassword) };
      }),

      deleteAccount: gate.forSession(async ({ password }, { row }) => {
        checkEntered("password", password, limits.passwordBytes);
        await userAccounts.deleteAccount(row, password);
        return {};
      }),

      listDevices: gate.forSession((request, { row }) => listDevices(request, row, accounts, clock), page),

      removeDevice: gate.forSession(
        async ({ deviceId }, { row }) => ({
          endedSessions: await userAccounts.removeDevice(row.user, parseId("device", deviceId)),
        }),
        free,
      ),

      listSessions: gate.forSession((request, { row }) => listSessions(request, row, sessions), page),

      revokeSession: gate.forSession(async (request, { row }) => {
        await sessions.end(row.user.userId, parseId("session", request.sessionId));
        return {};
      }, free),

      listLogIns: gate.forSession(
        (request, { row }) => listLogIns(request, row.user, accounts, logInStore),
        page,
      ),
    },
    options,
  );
}

async function listSessions(
  request: ListSessionsRequest,
  asking: SessionRow,
  sessions: Sessions,
): Promise<ListSessionsResponse> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListSessions", asking.user.userId);
  const before = tokens.readNumber(request.pageToken) ?? Number.MAX_SAFE_INTEGER;
  const rows = await sessions.list(asking.user.userId, before, size + 1);
  const { items, next } = pageOf(rows, size, (row) => toSession(row, asking), Session);
  return {
    sessions: items,
    nextPageToken: next === undefined ? "" : tokens.make(String(next.sessionId)),
    user: toUser(asking.user),
  };
}

/** The terms of calls that end sessions: they cost nothing, so that they are possible above the rate limit. */
const free = { isFree: true };

function checkEntered(field: string, value: string, most: number): void {
  if (value === "") throw new Refusal(Reason.INVALID_FIELD, { field, message: `The ${field} is missing.` });
  checkLength(field, value, most);
}

function checkLength(field: string, value: string, most: number): void {
  if (Buffer.byteLength(value) > most) {
    const facts = { maximum: most, unit: "bytes" };
    throw new Refusal(Reason.INVALID_FIELD, { field, message: `At most ${most} bytes.`, facts });
  }
}
