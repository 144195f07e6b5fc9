// Cursors at the newest entry of each conversation, for a reader that only wants what is new.

import { type CursorStore, MemoryCursors } from "../model/cursors.ts";
import type { Account } from "../server/account.ts";

/** Cursors at the newest entry of every conversation: what comes after them is new. */
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

/** The seq counts as delivered, too: only what comes later is to be told to the server. */
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
