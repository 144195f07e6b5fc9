// Reads the stored markers of one user.
import type { StoredMarkers } from "../../store.ts";
import type { Database } from "../database/database.ts";

export function markersOf(database: Database, userId: number, conversationId: number): StoredMarkers {
  const row = database.get<{
    deliveredSeq: number;
    readSeq: number;
    deliveredTime: number;
    readTime: number;
  }>(
    `SELECT delivered_seq AS deliveredSeq, read_seq AS readSeq, delivered_time AS deliveredTime,
       read_time AS readTime
     FROM participants WHERE user_id = ? AND conversation_id = ?`,
    userId,
    conversationId,
  );
  return row ?? { deliveredSeq: 0, readSeq: 0, deliveredTime: 0, readTime: 0 };
}
