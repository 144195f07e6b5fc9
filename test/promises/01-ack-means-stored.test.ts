// Promise 1: an ack means stored: committed and synced.
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type AppendResult, type Store, StoreUnavailableError } from "../../server/store/store.ts";
import { TestServer } from "../support/server.ts";

/** Wraps a store so that each append first waits for `beforeAppend`. */
function gated(beforeAppend: () => Promise<void>) {
  return (store: Store): Store => {
    const append = store.log.append.bind(store.log);
    store.log.append = async (entry): Promise<AppendResult> => {
      await beforeAppend();
      return append(entry);
    };
    return store;
  };
}

test("no ack is sent before the store has answered", async () => {
  const held = Promise.withResolvers<void>();
  await using server = await TestServer.start({
    users: ["leia", "han"],
    wrapStore: gated(() => held.promise),
  });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const id = stream.send("han", "are you there?");
  // The server answers this call after it has read the send.
  await leia.unary(leia.history, leia.history.listConversations, {
    pageSize: 0,
    pageToken: "",
    background: false,
  });
  expect(stream.all("ack")).toEqual([]);
  held.resolve();
  expect((await stream.next("ack")).clientMessageId).toBe(id);
});

test("an acked message is in the database file, where another process can read it", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const ack = await leia.send("han", "in the file");
  using database = new DatabaseSync(server.databaseFile, { readOnly: true });
  const row = database
    .prepare("SELECT content FROM entries WHERE conversation_id = ? AND seq = ?")
    .get(Number(ack.conversationId.slice(1)), Number(ack.seq));
  expect(Buffer.from(row?.content as Uint8Array).toString()).toContain("in the file");
});

test("a message that cannot be stored is refused, and the stream continues", async () => {
  let broken = true;
  await using server = await TestServer.start({
    users: ["leia", "han"],
    wrapStore: gated(() =>
      broken ? Promise.reject(new StoreUnavailableError("disk full")) : Promise.resolve(),
    ),
  });
  const leia = await server.logIn("leia");
  using stream = await leia.connect().caughtUp();
  const id = stream.send("han", "lost?");
  const refused = await stream.next("refused");
  expect(refused.clientMessageId).toBe(id);
  expect(refused.retryDelay).toBeDefined();
  broken = false;
  stream.send("han", "lost?", id);
  expect((await stream.next("ack")).seq).toBe(1n);
});
