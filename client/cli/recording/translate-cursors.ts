// Translates the cursors of a recorded Hello for the replay, so that their distance from the heads is the same.
import type { Cursor } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { ConversationNames } from "./conversation-names.ts";

interface Places {
  readonly from: ConversationNames;
  readonly to: ConversationNames;
}

/**
 * Leaves out conversations that do not exist in the replay. If every known conversation had a cursor, the recorded
 * stream started with new entries, so every conversation known in the replay gets a cursor.
 */
export function translateCursors(cursors: readonly Cursor[], places: Places): Cursor[] {
  const { from, to } = places;
  const here = cursors.flatMap(({ conversationId, seq }) => {
    const name = from.nameOf(conversationId);
    if (name === undefined) return [{ conversationId, seq }];
    const idHere = to.idOf(name);
    // 0 requests all entries, unless 0 was the head.
    const seqHere = seq === 0n && from.headOf(name) > 0n ? 0n : translateSeq(seq, name, places);
    return idHere === undefined ? [] : [{ conversationId: idHere, seq: seqHere }];
  });
  const named = new Set(cursors.map(({ conversationId }) => from.nameOf(conversationId)));
  if (!from.known.every((name) => named.has(name))) return here;
  const others = to.known.filter((name) => !named.has(name));
  return [...here, ...others.map((name) => ({ conversationId: to.idOf(name) ?? "", seq: to.headOf(name) }))];
}

/** Translates a recorded seq for the replay. */
export function translateSeq(seq: bigint, name: string, { from, to }: Places): bigint {
  const here = seq - from.headOf(name) + to.headOf(name);
  return here < 0n ? 0n : here;
}
