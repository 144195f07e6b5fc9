// Allocates client message ids: rising, and unique among all processes of the device.
import type { DatabaseSync } from "node:sqlite";
import { stepOverUsedIds } from "../link/model/send-queue.ts";
import { bigInteger } from "./rows.ts";

/** Ids up to this one are reserved for users and programs that choose ids themselves with the token of this device. */
export const RESERVED_IDS = 1_000_000;

/** Allocates the next id of the profile. It is one statement, so it is atomic inside and outside a transaction. */
export function takeClientMessageId(db: DatabaseSync, profileId: number): bigint {
  return take(db, profileId, 1n);
}

/**
 * Like `takeClientMessageId`, but far above the earlier ids, because the server has some of those that would be next:
 * this file is a copy.
 */
export function takeIdBeyondCopies(db: DatabaseSync, profileId: number): bigint {
  return take(db, profileId, stepOverUsedIds());
}

function take(db: DatabaseSync, profileId: number, step: bigint): bigint {
  const statement = db.prepare(
    `UPDATE profiles SET last_client_message_id = last_client_message_id + ?2 WHERE profile_id = ?1
     RETURNING last_client_message_id`,
  );
  statement.setReadBigInts(true);
  // `all` and not `get`, because the statement is committed only when it has run to its end.
  const [row] = statement.all(profileId, step);
  if (row === undefined) throw new Error("The profile does not exist any more.");
  return bigInteger(row, "last_client_message_id");
}
