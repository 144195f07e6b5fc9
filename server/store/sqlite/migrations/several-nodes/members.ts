// Part of step 12: who may see which entries of a conversation.
import type { Database } from "../../database/database.ts";

export function members(_database: Database): void {}
