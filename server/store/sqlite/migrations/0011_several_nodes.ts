// Step 11: what several nodes share. Each part is in a file of its own.
import type { Database } from "../database/database.ts";
import { accounts } from "./several-nodes/accounts.ts";
import { introductions } from "./several-nodes/introductions.ts";
import { kinds } from "./several-nodes/kinds.ts";
import { storedLog } from "./several-nodes/log.ts";
import { members } from "./several-nodes/members.ts";
import { nodes } from "./several-nodes/nodes.ts";

export function severalNodes(database: Database): void {
  storedLog(database);
  nodes(database);
  members(database);
  kinds(database);
  introductions(database);
  accounts(database);
}
