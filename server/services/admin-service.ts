// Implements AdminService with the rules of administration.

import { mapUsername } from "../../command-line/map-username.ts";
import { AdminServiceService } from "../../gen/parley/chat/v1/admin_service.ts";
import { Session } from "../../gen/parley/chat/v1/auth_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type CallContext, implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { peerHost } from "../../rpc/network/address.ts";
import type { Clock } from "../../time/clock.ts";
import type { Administration } from "../admin/administration.ts";
import type { Sessions } from "../auth/sessions.ts";
import { toUser } from "../auth/user-messages.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../reasons.ts";
import type { Administering, SessionRow, Store } from "../store/store.ts";
import { accountItem, actionItem, inviteItem, listPage } from "./admin-lists.ts";
import { type Gate, page } from "./calls/gate.ts";
import { PageTokens } from "./calls/paging.ts";
import { toSession } from "./session-list.ts";

export interface AdminServiceParts {
  readonly gate: Gate;
  readonly administration: Administration;
  readonly sessions: Sessions;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly options: ServiceOptions;
}

export function adminService(parts: AdminServiceParts) {
  const { gate, administration, sessions, store, clock, log, options } = parts;
  const { accounts, admin } = store;

  /** Makes a method for administrators. A user name is mapped like every name that comes in. */
  const forAdministrator = <Request extends object, Response>(
    handler: (request: Request, row: SessionRow, by: Administering) => Promise<Response>,
    terms: { readonly isPage?: boolean } = {},
  ) =>
    gate.forSession(async (written: Request, { row }, call: CallContext) => {
      if (!(await accounts.isAdministrator(row.user.userId))) throw new Refusal(Reason.ADMINISTRATORS_ONLY);
      const by = { userId: row.user.userId, address: peerHost(call.peer), time: clock.now() };
      const name = "username" in written ? { username: mapUsername(String(written.username)) } : {};
      return handler({ ...written, ...name }, row, by);
    }, terms);

  /** Makes a method that changes something. A change that is not refused is logged. */
  const changing = <Request extends object, Response>(
    event: string,
    handler: (request: Request, row: SessionRow, by: Administering) => Promise<Response>,
  ) =>
    forAdministrator(async (request: Request, row, by) => {
      const response = await handler(request, row, by);
      const { username } = row.user;
      const fields = { username, address: by.address, method: event, subject: subjectOf(request) };
      log.info({ event: "administration", ...fields }, "administration");
      return response;
    });

  return implementService(
    AdminServiceService,
    {
      addUser: changing("AddUser", async ({ username, password, bot }, _row, by) => {
        if (bot && password !== "") {
          throw new Refusal(Reason.INVALID_FIELD, { field: "password", message: "A bot has no password." });
        }
        const result = bot
          ? await administration.addBot(username, by)
          : await administration.addUser(username, password, by);
        if ("kind" in result) return { user: toUser(result.user), botToken: result.token };
        switch (result.status) {
          case "added":
            return { user: toUser(result.user), botToken: "" };
          case "name-invalid":
            throw new Refusal(Reason.USERNAME_INVALID, {
              field: "username",
              message: result.problem,
              facts: result.facts ?? {},
            });
          case "password-invalid":
            throw new Refusal(Reason.PASSWORD_INVALID, {
              field: "password",
              message: result.problem,
              facts: result.facts ?? {},
            });
          case "name-taken":
          case "look-alike":
            throw new Refusal(Reason.USERNAME_TAKEN, { field: "username" });
          // The caller lost the right while the password was hashed.
          case "not-administrator":
            throw new Refusal(Reason.ADMINISTRATORS_ONLY);
        }
      }),

      listAccounts: forAdministrator(async (request, { user }) => {
        const tokens = new PageTokens("ListAccounts", user.userId);
        const after = tokens.read(request.pageToken) ?? "";
        const load = (size: number) => admin.listAccounts(after, size);
        const { items, nextPageToken } = await listPage(request, { tokens, load, ...accountItem });
        return { accounts: items, nextPageToken };
      }, page),

      removeUser: changing("RemoveUser", async ({ username }, { user }, by) => {
        refuseSelf(username, user.username);
        if (!(await administration.removeUser(username, by))) throw noSuchUser();
        return {};
      }),

      setAdministrator: changing("SetAdministrator", async ({ username, administrator }, { user }, by) => {
        if (!administrator) refuseSelf(username, user.username);
        if (!(await administration.setAdministrator(username, administrator, by))) throw noSuchUser();
        return {};
      }),

      setDisabled: changing("SetDisabled", async ({ username, disabled }, { user }, by) => {
        if (disabled) refuseSelf(username, user.username);
        const ended = await administration.setDisabled(username, disabled, by);
        if (ended === undefined) throw noSuchUser();
        return { endedSessions: ended };
      }),

      unlockUser: changing("UnlockUser", async ({ username }, _row, by) => {
        if (!(await administration.unlock(username, by))) throw noSuchUser();
        return {};
      }),

      listUserSessions: forAdministrator(async (request, row) => {
        const account = await admin.account(request.username);
        if (account === undefined) throw noSuchUser();
        const tokens = new PageTokens("ListUserSessions", row.user.userId, request.username);
        const before = tokens.readNumber(request.pageToken) ?? Number.MAX_SAFE_INTEGER;
        const { items, nextPageToken } = await listPage(request, {
          tokens,
          load: (size) => sessions.list(account.userId, before, size),
          keyOf: ({ sessionId }) => sessionId,
          toItem: (session) => toSession(session, row),
          encoder: Session,
        });
        return { sessions: items, nextPageToken };
      }, page),

      endUserSessions: changing("EndUserSessions", async ({ username }, _row, by) => {
        const ended = await administration.endSessions(username, by);
        if (ended === undefined) throw noSuchUser();
        return { endedSessions: ended };
      }),

      resetUser: changing("ResetUser", async ({ username }, _row, by) => {
        const result = await administration.resetUser(username, by);
        if (result === undefined) throw noSuchUser();
        if (result.kind === "bot-token") {
          return { result: { $case: "botToken" as const, value: { token: result.token } } };
        }
        const value = { reset: result.secret, expireTime: new Date(result.expireTime) };
        return { result: { $case: "passwordReset" as const, value } };
      }),

      createInvite: changing("CreateInvite", async ({ uses, lifetimeSeconds }, _row, by) => {
        checkAtMost("uses", uses, limits.inviteUses);
        checkAtMost("lifetime_seconds", lifetimeSeconds, limits.inviteSeconds);
        const lifetimeMs = 1000 * (lifetimeSeconds || limits.inviteSecondsDefault);
        const { secret, inviteId } = await administration.createInvite(uses || 1, lifetimeMs, by);
        const createTime = new Date(by.time);
        const expireTime = new Date(by.time + lifetimeMs);
        return { invite: { inviteId, usesLeft: uses || 1, createTime, expireTime }, secret };
      }),

      listInvites: forAdministrator(async (request, { user }, { time }) => {
        const tokens = new PageTokens("ListInvites", user.userId);
        const after = tokens.read(request.pageToken) ?? "";
        const load = (size: number) => admin.listInvites(after, size, time);
        const { items, nextPageToken } = await listPage(request, { tokens, load, ...inviteItem });
        return { invites: items, nextPageToken };
      }, page),

      revokeInvite: changing("RevokeInvite", async ({ inviteId }, _row, by) => {
        if (!(await admin.revokeInvite(inviteId, by))) {
          throw new Refusal(Reason.INVITE_INVALID, {
            field: "invite_id",
            message: "There is no such invite.",
          });
        }
        return {};
      }),

      listAdminActions: forAdministrator(async (request, { user }) => {
        const tokens = new PageTokens("ListAdminActions", user.userId);
        const before = tokens.readNumber(request.pageToken) ?? Number.MAX_SAFE_INTEGER;
        const load = (size: number) => admin.listActions(before, size);
        const { items, nextPageToken } = await listPage(request, { tokens, load, ...actionItem });
        return { actions: items, nextPageToken };
      }, page),
    },
    options,
  );
}

/** The user or the invite that a request names. It exists, because the request was not refused. */
function subjectOf(request: object): string {
  if ("username" in request) return String(request.username);
  return "inviteId" in request ? String(request.inviteId) : "";
}

function noSuchUser(): Refusal {
  return new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
}

/** An administrator cannot be locked out by a mistake. The operator can change every user. */
function refuseSelf(username: string, own: string): void {
  if (username !== own) return;
  const message =
    "Administrators cannot do this to their own account. Ask another administrator or the operator.";
  throw new Refusal(Reason.RECIPIENT_IS_SELF, { field: "username", message });
}

function checkAtMost(field: string, value: number, most: number): void {
  if (value > most)
    throw new Refusal(Reason.INVALID_FIELD, { field, message: `At most ${most}.`, facts: { maximum: most } });
}
