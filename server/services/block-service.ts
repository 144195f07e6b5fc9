// Implements BlockService with the rules of blocks.
import {
  Block,
  BlockServiceService,
  type ListBlocksRequest,
  type ListBlocksResponse,
} from "../../gen/parley/chat/v1/block_service.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { toUser } from "../auth/user-messages.ts";
import type { Blocks } from "../chat/blocks.ts";
import { limits } from "../limits.ts";
import type { BlockRow, BlockStore, UserRow } from "../store/store.ts";
import { type Gate, page } from "./calls/gate.ts";
import { PageTokens, pageOf, pageSize } from "./calls/paging.ts";

export interface BlockServiceParts {
  readonly gate: Gate;
  readonly blocks: Blocks;
  readonly store: BlockStore;
  readonly options: ServiceOptions;
}

export function blockService({ gate, blocks, store, options }: BlockServiceParts) {
  return implementService(
    BlockServiceService,
    {
      blockUser: gate.forSession(async ({ username }, { row }) => ({
        block: toBlock(await blocks.block(row.user, username)),
      })),
      unblockUser: gate.forSession(async ({ username }, { row }) => ({
        user: toUser(await blocks.unblock(row.user, username)),
      })),
      listBlocks: gate.forSession((request, { row }) => listBlocks(request, row.user, store), page),
    },
    options,
  );
}

async function listBlocks(
  request: ListBlocksRequest,
  asking: UserRow,
  store: BlockStore,
): Promise<ListBlocksResponse> {
  const size = pageSize(request.pageSize, limits.pageDefault, limits.pageMost);
  const tokens = new PageTokens("ListBlocks", asking.userId);
  const rows = await store.listBlocks(asking.userId, tokens.read(request.pageToken) ?? "", size + 1);
  const { items, next } = pageOf(rows, size, toBlock, Block);
  return { blocks: items, nextPageToken: next === undefined ? "" : tokens.make(next.user.username) };
}

function toBlock({ user, createTime }: BlockRow): Block {
  return { user: toUser(user), createTime: new Date(createTime) };
}
