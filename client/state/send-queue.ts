// The queue of unsent messages of one profile, on disk, shared by several processes.
import type { DatabaseSync } from "node:sqlite";
import type { SendQueue, SendTarget, UnsentMessage } from "../link/model/send-queue.ts";
import { transact } from "./database.ts";
import { takeClientMessageId, takeIdBeyondCopies } from "./message-ids.ts";
import type { ProcessRegistration } from "./processes.ts";
import { bigInteger, bytes, integer, type Row, text, textOrNull } from "./rows.ts";

/**
 * Each message belongs to the process that queued it. One running process at a time owns the queue of the profile: only
 * it takes the messages of ended processes. When it ends, even by SIGKILL, another process becomes the owner.
 */
export class DiskSendQueue implements SendQueue {
  readonly #db: DatabaseSync;
  readonly #profileId: number;
  readonly #process: ProcessRegistration;

  constructor(db: DatabaseSync, profileId: number, process: ProcessRegistration) {
    this.#db = db;
    this.#profileId = profileId;
    this.#process = process;
  }

  add(target: SendTarget, content: Uint8Array): UnsentMessage {
    const queuedTime = new Date();
    return transact(this.#db, () => {
      const clientMessageId = takeClientMessageId(this.#db, this.#profileId);
      this.#db
        .prepare(
          `INSERT INTO unsent (profile_id, client_message_id, target_kind, target, content, queued_time, held, process_id)
           VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
        )
        .run(
          this.#profileId,
          clientMessageId,
          target.kind,
          targetName(target),
          content,
          queuedTime.getTime(),
          this.#process.processId,
        );
      return { clientMessageId, target, content, queuedTime, held: false };
    });
  }

  remove(clientMessageId: bigint): boolean {
    return removeUnsent(this.#db, this.#profileId, clientMessageId);
  }

  setHeld(clientMessageId: bigint, held: boolean): boolean {
    const { changes } = this.#db
      .prepare("UPDATE unsent SET held = ? WHERE profile_id = ? AND client_message_id = ?")
      .run(held ? 1 : 0, this.#profileId, clientMessageId);
    return changes !== 0;
  }

  renumber(clientMessageId: bigint): UnsentMessage | undefined {
    return renumberUnsent(this.#db, this.#profileId, clientMessageId);
  }

  holdAll(): void {
    this.#db.prepare("UPDATE unsent SET held = 1 WHERE profile_id = ?").run(this.#profileId);
  }

  /** Whether this process owned the queue at its last heartbeat. */
  get owned(): boolean {
    const row = this.#db
      .prepare("SELECT process_id FROM queue_owners WHERE profile_id = ?")
      .get(this.#profileId);
    return row !== undefined && text(row, "process_id") === this.#process.processId;
  }

  takeOrphans(taken: (messages: UnsentMessage[]) => void): Disposable {
    const check = (): void => {
      const messages = this.#take();
      if (messages.length > 0) taken(messages);
    };
    const watch = this.#process.onBeat(check);
    check();
    return {
      [Symbol.dispose]: () => {
        watch[Symbol.dispose]();
        this.#release();
      },
    };
  }

  #take(): UnsentMessage[] {
    const me = this.#process.processId;
    return transact(this.#db, () => {
      const running = this.#process.running();
      const owner = this.#db
        .prepare("SELECT process_id FROM queue_owners WHERE profile_id = ?")
        .get(this.#profileId);
      if (owner === undefined || !running.has(text(owner, "process_id"))) {
        this.#db
          .prepare(
            `INSERT INTO queue_owners (profile_id, process_id) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET process_id = excluded.process_id`,
          )
          .run(this.#profileId, me);
      } else if (text(owner, "process_id") !== me) return [];
      const orphans = listUnsent(this.#db, this.#profileId).filter(
        ({ processId }) => processId === undefined || !running.has(processId),
      );
      const claim = this.#db.prepare(
        "UPDATE unsent SET process_id = ? WHERE profile_id = ? AND client_message_id = ?",
      );
      for (const { clientMessageId } of orphans) claim.run(me, this.#profileId, clientMessageId);
      return orphans;
    });
  }

  /** Leaves the unsent messages of this process to the next owner. */
  #release(): void {
    const me = this.#process.processId;
    transact(this.#db, () => {
      this.#db
        .prepare("DELETE FROM queue_owners WHERE profile_id = ? AND process_id = ?")
        .run(this.#profileId, me);
      this.#db
        .prepare("UPDATE unsent SET process_id = NULL WHERE profile_id = ? AND process_id = ?")
        .run(this.#profileId, me);
    });
  }
}

export interface StoredUnsent extends UnsentMessage {
  /** The process to which the message belongs; undefined if that process has released it. */
  readonly processId: string | undefined;
}

/** All unsent messages of a profile, of every process, by rising id. */
export function listUnsent(db: DatabaseSync, profileId: number): StoredUnsent[] {
  const statement = db.prepare("SELECT * FROM unsent WHERE profile_id = ? ORDER BY client_message_id");
  statement.setReadBigInts(true);
  return statement.all(profileId).map(unsentOf);
}

/** As `SendQueue.renumber`. */
export function renumberUnsent(
  db: DatabaseSync,
  profileId: number,
  clientMessageId: bigint,
): UnsentMessage | undefined {
  return transact(db, () => {
    const id = takeIdBeyondCopies(db, profileId);
    const { changes } = db
      .prepare("UPDATE unsent SET client_message_id = ? WHERE profile_id = ? AND client_message_id = ?")
      .run(id, profileId, clientMessageId);
    if (changes === 0) return undefined;
    return listUnsent(db, profileId).find((message) => message.clientMessageId === id);
  });
}

/** Deletes an unsent message. Returns false if it is not in the queue. */
export function removeUnsent(db: DatabaseSync, profileId: number, clientMessageId: bigint): boolean {
  const { changes } = db
    .prepare("DELETE FROM unsent WHERE profile_id = ? AND client_message_id = ?")
    .run(profileId, clientMessageId);
  return changes !== 0;
}

function targetName(target: SendTarget): string {
  switch (target.kind) {
    case "user":
      return target.username;
    case "conversation":
      return target.conversationId;
    case "broadcast":
      return "";
  }
}

function targetOf(kind: string, name: string): SendTarget {
  if (kind === "user") return { kind, username: name };
  if (kind === "conversation") return { kind, conversationId: name };
  return { kind: "broadcast" };
}

function unsentOf(row: Row): StoredUnsent {
  return {
    clientMessageId: bigInteger(row, "client_message_id"),
    target: targetOf(text(row, "target_kind"), text(row, "target")),
    content: bytes(row, "content"),
    queuedTime: new Date(integer(row, "queued_time")),
    held: integer(row, "held") !== 0,
    processId: textOrNull(row, "process_id"),
  };
}
