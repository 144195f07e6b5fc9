// Implements DirectoryService with the stored intervals of presence: users who are online now or were online recently.
import {
  DirectoryServiceService,
  type ListUsersRequest,
  type ListUsersResponse,
  UserPresence,
} from "../../gen/parley/chat/v1/directory_service.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import type { Clock } from "../../time/clock.ts";
import { toUser } from "../auth/user-messages.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { PresenceRow, PresenceStore, UserRow } from "../store/store.ts";
import { type Gate, pageUnlessBackground } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

export interface DirectoryServiceParts {
  readonly gate: Gate;
  readonly presence: PresenceStore;
  readonly clock: Clock;
  readonly options: ServiceOptions;
}

export function directoryService({ gate, presence, clock, options }: DirectoryServiceParts) {
  return implementService(
    DirectoryServiceService,
    {
      listUsers: gate.forSession(
        (request, { row }) => listUsers(request, row.user, presence, clock.now()),
        pageUnlessBackground,
      ),
    },
    options,
  );
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
  return { user: toUser(row.user), online: row.online, lastOnlineTime: new Date(row.lastOnlineTime) };
}
