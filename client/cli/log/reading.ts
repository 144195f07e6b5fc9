// Opens a link that only receives, from the newest entries or from a time on, and fetches the entries of its gaps.
import type { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import { type Link, openLink } from "../../link/link.ts";
import { MemoryCursors } from "../../link/model/cursors.ts";
import type { EntriesSkipped, LinkEnding } from "../../link/model/events.ts";
import { raise } from "../../link/receiving/heads.ts";
import type { Account } from "../../link/server/account.ts";
import { clientInfo, type SignedIn } from "../account/sign-in.ts";

/** For every conversation, a cursor before the first entry that is not older than `since`. */
export async function cursorsSince(account: Account, since: Date): Promise<MemoryCursors> {
  const cursors = new MemoryCursors();
  for await (const { conversationId, headSeq } of account.listConversations({ background: true })) {
    raise(cursors, conversationId, headSeq === 0n ? 0n : await lastBefore(account, conversationId, since));
  }
  return cursors;
}

/** The seq before the first entry that is not older than `since`; that of the head if all are older. */
async function lastBefore(account: Account, conversationId: string, since: Date): Promise<bigint> {
  const target = { kind: "conversation", conversationId } as const;
  for await (const page of account.listMessages(target, { fromTime: since, pageSize: 1, background: true })) {
    const first = page.items[0]?.item;
    if (first === undefined) return page.headSeq;
    return (first.$case === "entry" ? first.value.seq : first.value.fromSeq) - 1n;
  }
  return 0n;
}

/** Opens a link that receives from these cursors on. @param mark report entries as delivered */
export function listen({ endpoint, token, profile }: SignedIn, cursors: MemoryCursors, mark: boolean): Link {
  return openLink({
    endpoint,
    token,
    client: clientInfo(),
    serverId: profile.serverId,
    cursors,
    receiveOnly: true,
    deliveredMarkers: mark,
  });
}

/** The items of a gap, from the history. Entries that are no longer in the log are ranges. */
export async function* filled(account: Account, gap: EntriesSkipped): AsyncGenerator<HistoryItem> {
  const { conversationId, fromSeq, toSeq } = gap;
  const target = { kind: "conversation", conversationId } as const;
  for await (const page of account.listMessages(target, { fromSeq, toSeq, pageSize: 500, background: true }))
    yield* page.items;
}

/** @throws the error that ended the link, unless this program closed it */
export function throwEnding(link: Link): void {
  if (link.state.phase === "ended") throwUnlessClosed(link.state.ending);
}

function throwUnlessClosed(ending: LinkEnding): void {
  if (ending.kind !== "closed") throw ending.cause;
}
