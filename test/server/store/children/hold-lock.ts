// Started by a test: locks the data folder in its first argument, prints a line, and keeps the lock until it is killed.
import { lockDataFolder } from "../../../../server/store/sqlite/database/lock.ts";

const [, , folder = ""] = process.argv;
await lockDataFolder(folder);
process.stdout.write("held\n");
setInterval(() => {}, 60_000);
