// Part of step 11: the kinds of stored entries.
import type { Database } from "../../database/database.ts";

export function kinds(_database: Database): void {}
