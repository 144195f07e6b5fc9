// Migrates the database whose path is given, and ends.
import { openDatabase } from "../../../../server/store/sqlite/database/database.ts";
import { migrate } from "../../../../server/store/sqlite/migrations.ts";

const [, , file = ""] = process.argv;
using database = openDatabase({ file });
migrate(database, file);
