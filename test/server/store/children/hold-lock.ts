// Started by a test: holds the data folder of its first argument until killed; says so.
import { lockDataFolder } from "../../../../server/store/sqlite/database/lock.ts";

const [, , folder = ""] = process.argv;
await lockDataFolder(folder);
process.stdout.write("held\n");
setInterval(() => {}, 60_000);
