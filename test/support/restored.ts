// Gives the data of a server a new id, as a restore from a backup does.
import { DatabaseSync } from "node:sqlite";
import type { TestServer } from "./server.ts";

/** Restarts the server with a new id. */
export async function restartRestored(server: TestServer): Promise<void> {
  await server.stop();
  const db = new DatabaseSync(server.databaseFile);
  db.exec("UPDATE server SET server_id = lower(hex(randomblob(16)))");
  db.close();
  await server.start();
}
