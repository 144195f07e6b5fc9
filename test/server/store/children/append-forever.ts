// Started by tests: appends to the database in its first argument, from the device in its second one, until it is killed. Prints the client message id and
// the seq of each entry that is stored.
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite-store.ts";
import { entry, newUser } from "../../../contract/store-fixture.ts";

const [, , file = "", device = ""] = process.argv;
const { accounts, log } = await openSqliteStore({ file });
for (const name of ["ada", "bob"]) await accounts.addUser(newUser(name));
let last = 0;
async function sendForever(): Promise<never> {
  for (;;) {
    const id = ++last;
    const result = await log.append({
      ...entry(1, id, { peerId: 2 }, `text ${id}`),
      deviceId: Number(device),
    });
    if (result.status !== "stored") throw new Error(result.status);
    process.stdout.write(`${id} ${result.seq}\n`);
  }
}
await Promise.all(Array.from({ length: 64 }, sendForever));
