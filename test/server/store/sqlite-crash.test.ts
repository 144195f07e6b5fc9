// The SQLite store when its process is killed, and when the disk refuses.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { StoreUnavailableError } from "../../../server/store/store.ts";
import { bytes, entry, newUser } from "../../contract/store-fixture.ts";
import { temporaryFolder } from "./temporary.ts";

const child = (name: string) => join(import.meta.dirname, "children", name);

describe("a process killed in the middle of appends", () => {
  it("loses nothing acked, numbers without a gap, and answers a retry with the first answer", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    const acked = new Map<number, number>();
    for (const round of [1, 2]) {
      const appending = spawn(process.execPath, [child("append-forever.ts"), file], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const closed = once(appending, "close");
      acked.clear();
      for await (const line of createInterface({ input: appending.stdout })) {
        const [id = 0, seq = 0] = line.split(" ").map(Number);
        acked.set(id, seq);
        if (acked.size === 1_500) appending.kill("SIGKILL");
      }
      expect(await closed).toEqual([null, "SIGKILL"]);
      await using store = await openSqliteStore({ file });
      const conversation = await store.log.directConversation(1, 2);
      const entries = await store.log.entries(conversation?.conversationId ?? 0, 1, 1e9, 1e6);
      expect(entries.map((stored) => stored.seq)).toEqual(entries.map((_, i) => i + 1));
      expect(conversation?.headSeq).toBe(entries.length);
      const texts = new Map(entries.map((stored) => [stored.seq, stored.content]));
      for (const [id, seq] of acked) expect(texts.get(seq)).toEqual(new Uint8Array(bytes(`text ${id}`)));
      const [id = 0, seq] = [...acked].at(-1) ?? [];
      expect(await store.log.append(entry(1, id, { peerId: 2 }, `text ${id}`))).toMatchObject({
        status: "repeated",
        seq,
      });
      if (round === 1) await clear(file);
    }
  });
});

/** Makes room for the second life's client message ids, which start anew: as if the first had been another device. */
async function clear(file: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  using database = new DatabaseSync(file);
  database.exec("UPDATE entries SET device_id = 99");
}

describe("a disk that refuses", () => {
  it("makes the group fail as a whole, and the next one go on as if it had not been", async () => {
    await using place = await temporaryFolder();
    await using store = await openSqliteStore({ file: join(place.folder, "parley.db"), maxPages: 200 });
    for (const name of ["ada", "bob"]) await store.accounts.addUser(newUser(name));
    const announced: number[] = [];
    store.log.onAppended((entries) => announced.push(...entries.map((each) => each.seq)));
    const { log, accounts } = store;
    expect(await log.append(entry(1, 1, { peerId: 2 }))).toMatchObject({ status: "stored", seq: 1 });
    const group = [
      log.append(entry(1, 2, { peerId: 2 })),
      accounts.addUser(newUser("cyd")),
      log.append(entry(1, 3, { peerId: 2 }, "x".repeat(2_000_000))),
      log.append(entry(1, 4, { peerId: 2 })),
    ];
    for (const result of await Promise.allSettled(group)) {
      expect(result.status === "rejected" && result.reason).toBeInstanceOf(StoreUnavailableError);
    }
    expect(announced).toEqual([1]);
    expect((await log.directConversation(1, 2))?.headSeq).toBe(1);
    expect(await log.append(entry(1, 2, { peerId: 2 }))).toMatchObject({ status: "stored", seq: 2 });
    expect(await accounts.addUser(newUser("cyd"))).toMatchObject({ status: "added" });
    expect(announced).toEqual([1, 2]);
  });

  it.skipIf(process.platform === "win32")("acks nothing that a failed commit took back", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    // The shell counts in blocks of 512 bytes or, some, of 1024: files end at 3 or 6 MB.
    const run = `ulimit -f 6000; exec "${process.execPath}" "${child("append-large.ts")}" "${file}"`;
    const { stdout } = await promisify(execFile)("sh", ["-c", run]);
    const told = JSON.parse(stdout) as {
      stored: number[];
      refusal: string;
      after: object;
      announced: number;
      head: number;
    };
    expect(told.refusal).toBe("StoreUnavailableError");
    expect(told.stored.length).toBeGreaterThan(8);
    expect(told.after).toMatchObject({ status: "stored", seq: told.stored.length + 1 });
    expect(told.announced).toBe(told.stored.length + 1);
    await using store = await openSqliteStore({ file });
    expect((await store.log.directConversation(1, 2))?.headSeq).toBe(told.stored.length + 1);
  });
});
