// The cursors of a recorded Hello, as they have to be where it is played: as far from the heads as they were.
import type { Cursor } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { ConversationNames } from "./conversation-names.ts";

interface Places {
  readonly from: ConversationNames;
  readonly to: ConversationNames;
}

/**
 * What there is not here has nothing to resume. Where all that was known then had a cursor, the stream began with what
 * was new: so all that is known here gets one, too.
 */
export function cursorsHere(cursors: readonly Cursor[], places: Places): Cursor[] {
  const { from, to } = places;
  const here = cursors.flatMap(({ conversationId, seq }) => {
    const name = from.nameOf(conversationId);
    if (name === undefined) return [{ conversationId, seq }];
    const idHere = to.idOf(name);
    // 0 asks for everything, unless it was the head.
    const seqHere = seq === 0n && from.headOf(name) > 0n ? 0n : moved(seq, name, places);
    return idHere === undefined ? [] : [{ conversationId: idHere, seq: seqHere }];
  });
  const named = new Set(cursors.map(({ conversationId }) => from.nameOf(conversationId)));
  if (!from.known.every((name) => named.has(name))) return here;
  const others = to.known.filter((name) => !named.has(name));
  return [...here, ...others.map((name) => ({ conversationId: to.idOf(name) ?? "", seq: to.headOf(name) }))];
}

/** A seq of then as one of now. */
export function moved(seq: bigint, name: string, { from, to }: Places): bigint {
  const here = seq - from.headOf(name) + to.headOf(name);
  return here < 0n ? 0n : here;
}
