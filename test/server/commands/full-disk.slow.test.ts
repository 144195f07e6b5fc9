// A server starts on a full disk: it serves what is stored, refuses sends, and stores them again once there is space. The
// test mounts a small file system, which only root can do.
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openServer } from "../../../server/commands/open-server.ts";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { openLog } from "../../../server/log.ts";
import { loadConfig } from "../../../server/settings/config.ts";
import { CHEAP } from "../../support/cheap-passwords.ts";
import { reasonOf, TestClient } from "../../support/client.ts";
import { TestServer } from "../../support/server.ts";
import { fakeIo } from "./fake-io.ts";

const canMount = process.platform === "linux" && process.geteuid?.() === 0;

let disk: string;
beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), "parley-disk-"));
  if (canMount) execFileSync("mount", ["-t", "tmpfs", "-o", "size=80m", "tmpfs", disk]);
});
afterEach(() => {
  if (canMount) execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
});

function fill(): string {
  const file = join(disk, "fill");
  const descriptor = openSync(file, "w");
  const chunk = Buffer.alloc(64 * 1024, 1);
  try {
    for (;;) writeSync(descriptor, chunk);
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  }
  try {
    for (;;) writeSync(descriptor, chunk.subarray(0, 512));
  } catch {
    // Now it is full.
  }
  closeSync(descriptor);
  return file;
}

test.skipIf(!canMount)(
  "reads are served, sends are refused, and stored again once there is space",
  async () => {
    const data = join(disk, "data");
    mkdirSync(data, { mode: 0o700 });
    const credentials = join(disk, "users.txt");
    writeFileSync(credentials, "ada a long password\nbob a long password\n");
    const flags = new Map([
      ["data", [data]],
      ["listen", ["127.0.0.1:0"]],
      ["plaintext", ["true"]],
      ["credentials", [credentials]],
    ]);
    let logged = "";
    const start = async () => {
      const config = await loadConfig({ flags, env: {} });
      const log = openLog({ level: "error", forPerson: false, writeError: (text) => (logged += text) });
      return openServer({
        config,
        log,
        passwordCost: CHEAP,
        onFatal: (error) => expect.unreachable(error.message),
      });
    };
    let ada: TestClient;
    {
      await using server = await start();
      using client = new TestClient(server.port);
      await client.logIn("ada", "a long password");
      await client.send("bob", "before");
    }
    const filler = fill();
    await using server = await start();
    expect(logged).toContain("is full");
    using client = new TestClient(server.port);
    ada = client;
    await ada.logIn("ada", "a long password");
    expect(await ada.textsWith("bob")).toEqual(["before"]);
    // The reserve takes some messages.
    let stored = 0;
    let reason = "";
    for (; reason === "" && stored < 1_000; stored += 1)
      reason = await reasonOf(ada.send("bob", "x".repeat(30_000)));
    expect(reason).toBe("STORE_UNAVAILABLE");
    expect((await ada.textsWith("bob"))[0]).toBe("before");
    rmSync(filler);
    await expect.poll(() => reasonOf(ada.send("bob", "after"))).toBe("");
  },
);

test.skipIf(!canMount)("a backup onto a full disk names that disk, and leaves no file", async () => {
  await using server = await TestServer.start({ users: ["ada"] });
  const filled = fill();
  const io = fakeIo();
  const target = join(disk, "copy.db");
  expect(await runCommandLine(["backup", target, "--data", server.folder], io)).toBe(1);
  expect(io.err).toContain(`the disk of ${disk} is full; a copy needs about as much space as `);
  expect(readdirSync(disk)).toEqual([basename(filled)]);
});
