// Gives out client message ids: rising, and never the same twice to any process of this device.
import type { DatabaseSync } from "node:sqlite";
import { bigInteger } from "./rows.ts";

/** Up to here ids are left to people and programs that number by hand, with the token of this device. */
export const RESERVED_IDS = 1_000_000;

/** Takes the profile's next client message id. One statement, hence atomic on its own and inside a transaction. */
export function takeClientMessageId(db: DatabaseSync, profileId: number): bigint {
  const statement = db.prepare(
    `UPDATE profiles SET last_client_message_id = last_client_message_id + 1 WHERE profile_id = ?
     RETURNING last_client_message_id`,
  );
  statement.setReadBigInts(true);
  // `all` and not `get`: the statement is only committed once it has been stepped to its end.
  const [row] = statement.all(profileId);
  if (row === undefined) throw new Error("There is no such profile any more.");
  return bigInteger(row, "last_client_message_id");
}
