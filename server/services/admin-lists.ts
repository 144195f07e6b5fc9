// The pages of AdminService in the shape of the contract's messages.
import {
  Account,
  AdminAction,
  Invite,
  AdminActionKind as WireKind,
} from "../../gen/parley/chat/v1/admin_service.ts";
import { toUser } from "../auth/user-messages.ts";
import { limits } from "../limits.ts";
import type { AccountRow, AdminActionKind, AdminActionRow, InviteRow } from "../store/store.ts";
import { type PageTokens, pageOf, pageSize } from "./calls/paging.ts";

const kinds: Record<AdminActionKind, WireKind> = {
  "add-user": WireKind.ADD_USER,
  "add-bot": WireKind.ADD_BOT,
  "remove-user": WireKind.REMOVE_USER,
  promote: WireKind.PROMOTE,
  demote: WireKind.DEMOTE,
  disable: WireKind.DISABLE,
  enable: WireKind.ENABLE,
  unlock: WireKind.UNLOCK,
  "log-out": WireKind.LOG_OUT,
  reset: WireKind.RESET,
  "new-bot-token": WireKind.NEW_BOT_TOKEN,
  "create-invite": WireKind.CREATE_INVITE,
  "revoke-invite": WireKind.REVOKE_INVITE,
};

export interface ListedPage<Item> {
  readonly items: Item[];
  readonly nextPageToken: string;
}

export interface PageSource<Row, Item> {
  readonly tokens: PageTokens;
  /** Loads at most `size` rows. */
  readonly load: (size: number) => Promise<Row[]>;
  /** The key of a row, after which the next page begins. */
  readonly keyOf: (row: Row) => string | number;
  readonly toItem: (row: Row) => Item;
  readonly encoder: { encode(item: Item): { finish(): Uint8Array } };
}

export async function listPage<Row, Item>(
  request: { readonly pageSize: number },
  { tokens, load, keyOf, toItem, encoder }: PageSource<Row, Item>,
): Promise<ListedPage<Item>> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const { items, next } = pageOf(await load(size + 1), size, toItem, encoder);
  return { items, nextPageToken: next === undefined ? "" : tokens.make(String(keyOf(next))) };
}

export const accountItem = {
  keyOf: ({ username }: AccountRow): string => username,
  toItem: (row: AccountRow): Account => ({
    user: toUser(row),
    createTime: new Date(row.createTime),
    administrator: row.isAdministrator,
    bot: row.isBot,
    disabledTime: row.disabledTime === undefined ? undefined : new Date(row.disabledTime),
  }),
  encoder: Account,
};

export const inviteItem = {
  keyOf: ({ inviteId }: InviteRow): string => inviteId,
  toItem: ({ createTime, expireTime, ...row }: InviteRow): Invite => ({
    ...row,
    createTime: new Date(createTime),
    expireTime: new Date(expireTime),
  }),
  encoder: Invite,
};

export const actionItem = {
  keyOf: ({ actionId }: AdminActionRow): number => actionId,
  toItem: ({ time, administrator = "", address, action, subject }: AdminActionRow): AdminAction => ({
    time: new Date(time),
    administrator,
    address,
    kind: kinds[action],
    subject,
  }),
  encoder: AdminAction,
};
