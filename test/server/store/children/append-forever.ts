// Started by tests: appends to the database of its first argument until killed, and prints each acked client message id.
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite-store.ts";
import { entry, newUser } from "../../../contract/store-fixture.ts";

const [, , file = ""] = process.argv;
const { accounts, log } = await openSqliteStore({ file });
for (const name of ["ada", "bob"]) await accounts.addUser(newUser(name));
let last = 0;
async function sendForever(): Promise<never> {
  for (;;) {
    const id = ++last;
    const result = await log.append(entry(1, id, { peerId: 2 }, `text ${id}`));
    if (result.status !== "stored") throw new Error(result.status);
    process.stdout.write(`${id} ${result.seq}\n`);
  }
}
await Promise.all(Array.from({ length: 64 }, sendForever));
