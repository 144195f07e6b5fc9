// The operations of NodeStore: the leases of nodes.
import type { NodeStore } from "../../../store.ts";
import { type Operations, write } from "../operation.ts";

/** A lease that has ended, and cannot be extended, ends at this time. */
const ENDED = 0;

export const nodeOperations: Operations<NodeStore> = {
  take: write((database, nodeId, time, until) => {
    // A system clock that was set back must not keep the streams of an earlier lease.
    database.run(
      `UPDATE nodes SET lease_until = ${ENDED}, seen_time = min(seen_time, ?) WHERE node_id = ?`,
      time,
      nodeId,
    );
    const insert = "INSERT INTO nodes (node_id, seen_time, lease_until) VALUES (?, ?, ?)";
    return database.run(insert, nodeId, time, until).id;
  }),

  renew: write((database, epoch, time, until) => {
    const sql = `UPDATE nodes SET seen_time = ?, lease_until = ? WHERE epoch = ? AND lease_until <> ${ENDED}`;
    return database.run(sql, time, until, epoch).changes > 0;
  }),

  end: write((database, epoch, time) => {
    const sql = `UPDATE nodes SET seen_time = ?, lease_until = ${ENDED} WHERE epoch = ? AND lease_until <> ${ENDED}`;
    database.run(sql, time, epoch);
  }),
};
