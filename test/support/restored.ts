// Gives the data of a server a new id, as a restore from a backup does.
import { acceptData } from "../../server/store/sqlite/restoring.ts";
import type { TestServer } from "./server.ts";

/** Restarts the server with a new id. */
export async function restartRestored(server: TestServer): Promise<void> {
  await server.stop();
  acceptData(server.databaseFile);
  await server.start();
}
