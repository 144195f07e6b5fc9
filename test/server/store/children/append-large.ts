// Started by a test with a limit on file sizes: appends until a write fails, then once more, and prints the results.
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite-store.ts";
import { entry, newUser } from "../../../contract/store-fixture.ts";

const [, , file = ""] = process.argv;
await using store = await openSqliteStore({ file });
for (const name of ["ada", "bob"]) await store.accounts.addUser(newUser(name));
let announced = 0;
await store.log.follow(({ entries }) => {
  announced += entries.length;
});
const large = "x".repeat(60_000);
const stored: number[] = [];
let id = 0;
let refusal: unknown;
while (refusal === undefined) {
  const group = Array.from({ length: 8 }, () => ++id);
  try {
    await Promise.all(group.map((number) => store.log.append(entry(1, number, { peerId: 2 }, large))));
    stored.push(...group);
  } catch (error) {
    refusal = error instanceof Error ? error.name : error;
  }
}
const after = await store.log.append(entry(1, ++id, { peerId: 2 }, "small"));
const read = await store.log.directConversation(1, 2);
console.log(JSON.stringify({ stored, refusal, after, announced, head: read?.headSeq }));
