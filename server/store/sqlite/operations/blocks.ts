// The operations of BlockStore: who blocks whom, and which entries that hides.
import type { BlockRow, BlockStore, SeqRange, UnblockedConversation } from "../../store.ts";
import { broadcastConversationId } from "../broadcast.ts";
import type { Database } from "../database/database.ts";
import { headOf } from "./heads.ts";
import { markersOf } from "./markers.ts";
import { type Operations, read, write } from "./operation.ts";
import { noteChange } from "./presence/changes.ts";

const broadcastHead = headOf(broadcastConversationId);

/** The most entries that are read to find out whether one of them is hidden. */
const MOST_LOOKED_AT = 1_000;

export const blockOperations: Operations<BlockStore> = {
  block: write((database, blockerId, blockedId, time) => {
    if (!isUser(database, blockerId) || !isUser(database, blockedId)) return "no-user";
    const insert =
      "INSERT INTO blocks (blocker_id, blocked_id, create_time) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    if (database.run(insert, blockerId, blockedId, time).changes === 0) return "already-blocked";
    database.run(
      `INSERT INTO hidden (user_id, conversation_id, author_id, from_seq)
       VALUES (?, ${broadcastConversationId}, ?, ${broadcastHead} + 1)`,
      blockerId,
      blockedId,
    );
    database.run(
      `INSERT INTO hidden (user_id, conversation_id, author_id, from_seq, to_seq)
       SELECT ?1, c.conversation_id, ?2, p.delivered_seq + 1, ${headOf("c.conversation_id")}
       FROM conversations c JOIN participants p ON p.conversation_id = c.conversation_id AND p.user_id = ?1
       WHERE c.user_low = min(?1, ?2) AND c.user_high = max(?1, ?2)
         -- A range without entries of the author is left out, unless finding that out would take too long.
         AND (${headOf("c.conversation_id")} - p.delivered_seq > ${MOST_LOOKED_AT} OR EXISTS
           (SELECT 1 FROM entries e WHERE e.conversation_id = c.conversation_id AND e.seq > p.delivered_seq
              AND e.sender_id = ?2))
       -- The range of an earlier block, if no entry was delivered since: it is extended.
       ON CONFLICT DO UPDATE SET to_seq = max(to_seq, excluded.to_seq)`,
      blockerId,
      blockedId,
    );
    noteChange(database, blockerId, blockedId);
    return "blocked";
  }),

  unblock: write((database, blockerId, blockedId) => {
    const remove = "DELETE FROM blocks WHERE blocker_id = ? AND blocked_id = ?";
    if (database.run(remove, blockerId, blockedId).changes === 0) return { status: "not-blocked" };
    endHiding(database, blockerId, blockedId);
    noteChange(database, blockerId, blockedId);
    return { status: "unblocked", conversation: showAgain(database, blockerId, blockedId) };
  }),

  listBlocks: read((database, blockerId, afterName, limit) => {
    return database
      .all<{ userId: number; username: string; createTime: number }>(
        `SELECT user_id AS userId, username, b.create_time AS createTime
         FROM blocks b JOIN users u ON u.user_id = b.blocked_id
         WHERE b.blocker_id = ? AND username > ? AND removed_time IS NULL ORDER BY username LIMIT ?`,
        blockerId,
        afterName,
        limit,
      )
      .map(({ createTime, ...user }): BlockRow => ({ user, createTime }));
  }),

  isBlocking: read((database, blockerId, blockedId) => {
    const sql = "SELECT 1 FROM blocks WHERE blocker_id = ? AND blocked_id = ?";
    return database.get(sql, blockerId, blockedId) !== undefined;
  }),

  isBetween: read((database, userId, otherId) => isBlockBetween(database, userId, otherId)),
};

/** Whether at least one of the two users blocks the other. */
export function isBlockBetween(database: Database, userId: number, otherId: number): boolean {
  const sql = `SELECT 1 FROM blocks
    WHERE (blocker_id = ?1 AND blocked_id = ?2) OR (blocker_id = ?2 AND blocked_id = ?1)`;
  return database.get(sql, userId, otherId) !== undefined;
}

/** The most ranges that are reported. If there are more, only the newest are. */
const MOST_RANGES = 100;

/** The author's entries that blocks have hidden from the user in their direct conversation, in ascending order. */
export function undeliveredRanges(
  database: Database,
  userId: number,
  conversationId: number,
  authorId: number,
): SeqRange[] {
  const sql = `SELECT from_seq AS "from", to_seq AS "to" FROM hidden
    WHERE user_id = ? AND conversation_id = ? AND author_id = ? ORDER BY from_seq DESC LIMIT ${MOST_RANGES}`;
  return database
    .all<{ from: number; to: number }>(sql, userId, conversationId, authorId)
    .map(({ from, to }) => ({ from, to }))
    .reverse();
}

/** Ends the hidden range of broadcasts, or deletes it if no broadcast was stored during the block. */
function endHiding(database: Database, blockerId: number, blockedId: number): void {
  const open = "user_id = ? AND conversation_id = ? AND author_id = ? AND to_seq IS NULL";
  const key = [blockerId, broadcastConversationId, blockedId] as const;
  database.run(`DELETE FROM hidden WHERE ${open} AND from_seq > ${broadcastHead}`, ...key);
  database.run(`UPDATE hidden SET to_seq = ${broadcastHead} WHERE ${open}`, ...key);
}

/** Shows each user the other's current markers, unless the user who was blocked blocks the former blocker. */
function showAgain(
  database: Database,
  blockerId: number,
  blockedId: number,
): UnblockedConversation | undefined {
  if (isBlockBetween(database, blockerId, blockedId)) return undefined;
  const row = database.get<{ conversationId: number }>(
    `SELECT conversation_id AS conversationId FROM conversations
     WHERE user_low = min(?1, ?2) AND user_high = max(?1, ?2)`,
    blockerId,
    blockedId,
  );
  if (row === undefined) return undefined;
  const { conversationId } = row;
  database.run(
    `UPDATE participants SET shown_delivered_seq = delivered_seq, shown_read_seq = read_seq,
       shown_delivered_time = delivered_time, shown_read_time = read_time
     WHERE conversation_id = ? AND user_id IN (?, ?)`,
    conversationId,
    blockerId,
    blockedId,
  );
  return {
    conversationId,
    blockerMarkers: markersOf(database, blockerId, conversationId),
    blockedMarkers: markersOf(database, blockedId, conversationId),
    hiddenFromBlocker: undeliveredRanges(database, blockerId, conversationId, blockedId),
    hiddenFromBlocked: undeliveredRanges(database, blockedId, conversationId, blockerId),
  };
}

function isUser(database: Database, userId: number): boolean {
  const sql = "SELECT 1 FROM users WHERE user_id = ? AND removed_time IS NULL";
  return database.get(sql, userId) !== undefined;
}
