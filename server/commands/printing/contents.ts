// Describes how much a database contains.
import type { DataContents } from "../../store/sqlite/restoring.ts";
import { timeText } from "./time-text.ts";

/** "3 users and 12 messages, the newest of 2026-11-30 22:10:05Z". */
export function contentsText({ users, entries, newestTime }: DataContents): string {
  const newest = newestTime === undefined ? "" : `, the newest of ${timeText(newestTime)}`;
  return `${counted(users, "user")} and ${counted(entries, "message")}${newest}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
