// Implements DirectoryService with the stored intervals of presence: users who are online now or were online recently.
import {
  DirectoryServiceService,
  type GetUserRequest,
  type ListUsersRequest,
  type ListUsersResponse,
  type SearchUsersRequest,
  type SearchUsersResponse,
  UserPresence,
} from "../../gen/parley/chat/v1/directory_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { User } from "../../gen/parley/chat/v1/user.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import type { Clock } from "../../time/clock.ts";
import { toUser } from "../auth/user-messages.ts";
import type { UserCache } from "../chat/user-cache.ts";
import { parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { AccountStore, AdminStore, PresenceRow, PresenceStore, UserRow } from "../store/store.ts";
import { type Gate, pageUnlessBackground, unlessBackground } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

export interface DirectoryServiceParts {
  readonly gate: Gate;
  readonly accounts: AccountStore;
  readonly admin: AdminStore;
  readonly presence: PresenceStore;
  readonly users: UserCache;
  readonly clock: Clock;
  readonly options: ServiceOptions;
}

export function directoryService(parts: DirectoryServiceParts) {
  const { gate, accounts, admin, presence, users, clock, options } = parts;
  return implementService(
    DirectoryServiceService,
    {
      listUsers: gate.forSession(
        (request, { row }) => listUsers(request, row.user, presence, clock.now()),
        pageUnlessBackground,
      ),
      getUser: gate.forSession(async ({ user: named }, { row }) => {
        const user = await namedUser(named, users);
        const told = await presence.of(user.userId, clock.now(), row.user.userId);
        // Read in both cases, so that the time does not tell whether the user blocks the caller.
        const bot = (await admin.account(user.username))?.isBot ?? false;
        return { user: told === undefined ? { ...unseen, bot, user: toUser(user) } : toUserPresence(told) };
      }, unlessBackground),
      searchUsers: gate.forSession(
        (request, { row }) => searchUsers(request, row.user, accounts),
        pageUnlessBackground,
      ),
    },
    options,
  );
}

const unseen = { online: false, lastOnlineTime: undefined };

/** @throws Refusal INVALID_FIELD, USER_NOT_FOUND */
async function namedUser(named: GetUserRequest["user"], users: UserCache): Promise<UserRow> {
  switch (named?.$case) {
    case "username": {
      const user = await users.byName(named.value);
      if (user === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "username" });
      return user;
    }
    case "userId": {
      const userId = parseId("user", named.value);
      const user = userId === undefined ? undefined : await users.byId(userId);
      if (user === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "user_id" });
      return user;
    }
    default:
      throw new Refusal(Reason.INVALID_FIELD, { field: "user", message: "Name a user." });
  }
}

async function searchUsers(
  request: SearchUsersRequest,
  asking: UserRow,
  accounts: AccountStore,
): Promise<SearchUsersResponse> {
  const { prefix } = request;
  const bytes = Buffer.byteLength(prefix);
  if (bytes === 0 || bytes > limits.usernameBytes) {
    const message = `The beginning of a name has 1 to ${limits.usernameBytes} bytes.`;
    const facts = { minimum: 1, maximum: limits.usernameBytes, unit: "bytes", actual: bytes };
    throw new Refusal(Reason.INVALID_FIELD, { field: "prefix", message, facts });
  }
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("SearchUsers", asking.userId, prefix);
  const after = tokens.read(request.pageToken) ?? "";
  const rows = await accounts.searchUsers(prefix, asking.userId, after, size + 1);
  const { items, next } = pageOf(rows, size, toUser, User);
  return { users: items, nextPageToken: next === undefined ? "" : tokens.make(next.username) };
}

/** Lists a page of users. Welcome contains the first page of the same list. @param now the wall clock, ms since 1970 */
export async function listUsers(
  request: Omit<ListUsersRequest, "background">,
  asking: UserRow,
  presence: PresenceStore,
  now: number,
): Promise<ListUsersResponse> {
  const seconds = request.onlineWithin?.seconds ?? 0n;
  const nanos = request.onlineWithin?.nanos ?? 0;
  if (seconds < 0n || nanos < 0 || nanos > 999_999_999) {
    throw new Refusal(Reason.INVALID_FIELD, {
      field: "online_within",
      message: "The duration must not be negative.",
    });
  }
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListUsers", asking.userId, seconds, nanos);
  const after = tokens.read(request.pageToken) ?? "";
  const within = Number(seconds) * 1000 + Math.ceil(nanos / 1e6);
  // No interval ends in the future, so this lists the users whose interval is open.
  const since = within === 0 ? now + 1 : Math.max(0, now - within);
  const rows = await presence.list(since, now, asking.userId, after, size + 1);
  const { items, next } = pageOf(rows, size, toUserPresence, UserPresence);
  return { users: items, nextPageToken: next === undefined ? "" : tokens.make(next.user.username) };
}

function toUserPresence(row: PresenceRow): UserPresence {
  return {
    user: toUser(row.user),
    online: row.online,
    lastOnlineTime: new Date(row.lastOnlineTime),
    bot: row.isBot,
  };
}
