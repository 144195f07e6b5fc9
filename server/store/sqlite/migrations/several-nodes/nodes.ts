// Part of step 12: the leases of nodes, and the programs that are online.
import type { Database } from "../../database/database.ts";

export function nodes(_database: Database): void {}
