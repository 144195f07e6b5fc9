// Step 12: what several nodes share. Each part is in a file of its own.
import type { Database } from "../database/database.ts";
import { accounts } from "./several-nodes/accounts.ts";
import { nodes } from "./several-nodes/nodes.ts";

export function severalNodes(database: Database): void {
  nodes(database);
  accounts(database);
}
