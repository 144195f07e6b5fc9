// Part of step 12: users, sessions, and log-ins.
import type { Database } from "../../database/database.ts";

export function accounts(_database: Database): void {}
