// The SQLite store when its process is killed, and when the operating system refuses to write.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "../../../server/store/sqlite/sqlite-store.ts";
import { bytes, entry } from "../../contract/store-fixture.ts";
import { temporaryFolder } from "./temporary.ts";

const child = (name: string) => join(import.meta.dirname, "children", name);

describe("a process killed in the middle of appends", () => {
  it("loses no acked entry, leaves no gap in the seqs, and answers a retry with the first result", async () => {
    await using place = await temporaryFolder();
    const file = join(place.folder, "parley.db");
    const acked = new Map<number, number>();
    for (const round of [1, 2]) {
      const appending = spawn(process.execPath, [child("append-forever.ts"), file, String(round)], {
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
      const again = { ...entry(1, id, { peerId: 2 }, `text ${id}`), deviceId: round };
      expect(await store.log.append(again)).toMatchObject({
        status: "repeated",
        seq,
      });
    }
  });
});

describe("a disk that is full", () => {
  it.skipIf(process.platform === "win32")(
    "a failed commit is rolled back, and none of its entries is acked",
    async () => {
      await using place = await temporaryFolder();
      const file = join(place.folder, "parley.db");
      // Shells count in blocks of 512 or 1024 bytes: files can grow to 3 or 6 MB.
      const run = `ulimit -f 6000; exec "${process.execPath}" "${child("append-large.ts")}" "${file}"`;
      const { stdout } = await promisify(execFile)("sh", ["-c", run]);
      const result = JSON.parse(stdout) as {
        stored: number[];
        refusal: string;
        after: object;
        announced: number;
        head: number;
      };
      expect(result.refusal).toBe("StoreUnavailableError");
      expect(result.stored.length).toBeGreaterThan(8);
      expect(result.after).toMatchObject({ status: "stored", seq: result.stored.length + 1 });
      expect(result.announced).toBe(result.stored.length + 1);
      await using store = await openSqliteStore({ file });
      expect((await store.log.directConversation(1, 2))?.headSeq).toBe(result.stored.length + 1);
    },
  );
});
