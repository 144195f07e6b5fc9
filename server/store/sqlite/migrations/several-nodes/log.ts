// Part of step 11: entries in the order of their commits.
import type { Database } from "../../database/database.ts";

export function storedLog(_database: Database): void {}
