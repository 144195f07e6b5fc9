// The cursors of one profile, on disk: the entries that the device has, whichever of its processes received them.
import type { DatabaseSync } from "node:sqlite";
import type { CursorStore, Position } from "../link/model/cursors.ts";
import type { ConversationKind } from "../link/model/events.ts";
import { transact } from "./database.ts";
import { bigInteger, type Row, text, textOrNull } from "./rows.ts";

export class DiskCursors implements CursorStore {
  readonly #db: DatabaseSync;
  readonly #profileId: number;

  constructor(db: DatabaseSync, profileId: number) {
    this.#db = db;
    this.#profileId = profileId;
  }

  load(): Position[] {
    const statement = this.#db.prepare(
      "SELECT * FROM cursors WHERE profile_id = ? ORDER BY last_used_time DESC, conversation_id",
    );
    statement.setReadBigInts(true);
    return statement.all(this.#profileId).map(positionOf);
  }

  raise(positions: readonly Position[]): void {
    if (positions.length === 0) return;
    const now = Date.now();
    transact(this.#db, () => {
      const statement = this.#db.prepare(`
        INSERT INTO cursors (profile_id, conversation_id, seq, kind, peer_user_id, peer_username, delivered_seq,
          read_seq, last_used_time)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
          seq = max(seq, excluded.seq),
          kind = iif(excluded.kind = 'unknown', kind, excluded.kind),
          peer_user_id = coalesce(excluded.peer_user_id, peer_user_id),
          peer_username = coalesce(excluded.peer_username, peer_username),
          delivered_seq = max(delivered_seq, excluded.delivered_seq),
          read_seq = max(read_seq, excluded.read_seq),
          last_used_time = max(last_used_time, excluded.last_used_time)`);
      for (const position of positions) {
        statement.run(
          this.#profileId,
          position.conversationId,
          position.seq,
          position.kind,
          position.peer?.userId ?? null,
          position.peer?.username ?? null,
          position.deliveredSeq,
          position.readSeq,
          now,
        );
      }
    });
  }

  forget(conversationId: string | undefined): void {
    this.#db
      .prepare("DELETE FROM cursors WHERE profile_id = ?1 AND (?2 IS NULL OR conversation_id = ?2)")
      .run(this.#profileId, conversationId ?? null);
  }
}

function positionOf(row: Row): Position {
  const username = textOrNull(row, "peer_username");
  return {
    conversationId: text(row, "conversation_id"),
    seq: bigInteger(row, "seq"),
    kind: kindOf(text(row, "kind")),
    peer: username === undefined ? undefined : { userId: text(row, "peer_user_id"), username },
    deliveredSeq: bigInteger(row, "delivered_seq"),
    readSeq: bigInteger(row, "read_seq"),
  };
}

function kindOf(name: string): ConversationKind {
  return name === "direct" || name === "broadcast" ? name : "unknown";
}
