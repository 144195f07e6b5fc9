// Reads on from a known place: a link that only listens, from the newest entries or from a time, with its gaps filled.
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import { type Link, openLink } from "../../link/link.ts";
import { MemoryCursors } from "../../link/model/cursors.ts";
import type { EntriesSkipped, LinkEnding } from "../../link/model/events.ts";
import { raise } from "../../link/receiving/heads.ts";
import type { Account } from "../../link/server/account.ts";
import { clientInfo, type SignedIn } from "../account/sign-in.ts";

/** Cursors before the first entry of that time or later, in every conversation. */
export async function cursorsSince(account: Account, since: Date): Promise<MemoryCursors> {
  const cursors = new MemoryCursors();
  for await (const { conversationId, headSeq } of account.listConversations({ background: true })) {
    raise(cursors, conversationId, headSeq === 0n ? 0n : await lastBefore(account, conversationId, since));
  }
  return cursors;
}

/** The newest seq whose entry is older; 0 where there is none. */
async function lastBefore(account: Account, conversationId: string, since: Date): Promise<bigint> {
  const target = { kind: "conversation", conversationId } as const;
  for await (const page of account.listMessages(target, { newestFirst: true, background: true })) {
    const older = page.items.findLast(({ item }) => item?.$case === "entry" && isOlder(item.value, since));
    if (older?.item?.$case === "entry") return older.item.value.seq;
  }
  return 0n;
}

function isOlder({ sendTime }: Entry, since: Date): boolean {
  return sendTime !== undefined && sendTime.getTime() < since.getTime();
}

/** A link that listens from these cursors on. It moves markers only if asked to. */
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

/** What a gap left out, from the history. Where it cannot be fetched, the history says so itself. */
export async function* filled(account: Account, gap: EntriesSkipped): AsyncGenerator<HistoryItem> {
  const { conversationId, fromSeq, toSeq } = gap;
  const target = { kind: "conversation", conversationId } as const;
  for await (const page of account.listMessages(target, { fromSeq, toSeq, pageSize: 500, background: true }))
    yield* page.items;
}

/** @throws what ended the link, if it was not this program */
export function throwEnding(link: Link): void {
  if (link.state.phase === "ended") throwUnlessClosed(link.state.ending);
}

function throwUnlessClosed(ending: LinkEnding): void {
  if (ending.kind !== "closed") throw ending.cause;
}
