// Cursors at the newest entry of each conversation, for readers that only want new entries.
import { type CursorStore, MemoryCursors } from "../model/cursors.ts";
import type { Account } from "../server/account.ts";

/** Cursors in memory at the newest entry of every conversation. @throws RpcError, ConnectError */
export async function cursorsAtHeads(account: Account): Promise<MemoryCursors> {
  const cursors = new MemoryCursors();
  await raiseToHeads(account, cursors);
  return cursors;
}

/** Raises the cursors to the newest entry of every conversation. @throws RpcError, ConnectError */
export async function raiseToHeads(account: Account, cursors: CursorStore): Promise<void> {
  for await (const { conversationId, headSeq } of account.listConversations({ background: true }))
    raise(cursors, conversationId, headSeq);
}

/** Raises one cursor. The seq also counts as delivered, so that no marker is sent for older entries. */
export function raise(cursors: CursorStore, conversationId: string, seq: bigint): void {
  const position = {
    conversationId,
    seq,
    kind: "unknown",
    peer: undefined,
    deliveredSeq: seq,
    readSeq: 0n,
  } as const;
  cursors.raise([position]);
}
