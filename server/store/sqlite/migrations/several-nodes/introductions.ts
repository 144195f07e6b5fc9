// Part of step 12: the state of private chats.
import type { Database } from "../../database/database.ts";

export function introductions(_database: Database): void {}
