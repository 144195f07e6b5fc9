// The original's command line as a source of settings: the rules it sets, and its precedence.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readArguments } from "../../../command-line/arguments.ts";
import { packageFile } from "../../../server/files/package.ts";
import { type Config, loadConfig, settingFlags } from "../../../server/settings/config.ts";
import { readOriginal } from "../../../server/settings/original-command-line.ts";

const DAY_MS = 86_400_000;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "parley-original-"));
});
afterEach(() => rm(home, { recursive: true }));

const original = ["12000", "45", "120"];
const source = "the original's command line (PORT BLOCK_SECONDS TIMEOUT_SECONDS)";

async function load(argv: readonly string[] = [], env: Record<string, string> = {}): Promise<Config> {
  const { flags, words } = readArguments(argv, settingFlags());
  const line = words.length === 0 ? undefined : readOriginal(words);
  return loadConfig({ flags, original: line, env: { HOME: home, ...env }, platform: "linux", folder: home });
}

async function fileWith(text: string, name: string): Promise<string> {
  const file = join(home, name);
  await writeFile(file, text);
  return file;
}

test("sets the original's rules, and the users of the package", async () => {
  const { listen, sourceOf, ...config } = await load(original);
  expect(config).toMatchObject({
    credentials: packageFile("docs/credentials.txt"),
    sessionsPerUser: 1,
    lock: "strict",
    lockDurationMs: 45_000,
    idleTimeoutMs: 120_000,
    presenceGraceMs: 0,
    data: join(home, ".local/share/parley-server"),
    plaintext: false,
    overruled: [],
  });
  expect(listen.port).toBe(12000);
  expect(["::", "0.0.0.0"]).toContain(listen.host);
  expect(sourceOf("lock")).toBe(source);
});

test("takes the users of the current folder if its credentials.txt exists", async () => {
  const users = await fileWith("yoda x", "credentials.txt");
  expect((await load(original)).credentials).toBe(users);
});

test("a credentials.txt in the current folder is ignored without the original's command line", async () => {
  await fileWith("yoda x", "credentials.txt");
  expect((await load()).credentials).toBeUndefined();
});

test("flags before and after it win over it, and are listed", async () => {
  const argv = ["--lock", "spare-known", ...original, "--credentials", "mine.txt"];
  expect(await load(argv)).toMatchObject({
    lock: "spare-known",
    credentials: join(home, "mine.txt"),
    lockDurationMs: 45_000,
    overruled: ["--credentials", "--lock"],
  });
});

test("it wins over the environment and the file", async () => {
  const config = await fileWith("timeout = 5\nsessions-per-user = 3\nsession-lifetime = 4", "parley.toml");
  const env = { PARLEY_LISTEN: "127.0.0.1:1", PARLEY_BLOCK_DURATION: "7", PARLEY_CONFIG: config };
  const { listen, lockDurationMs, idleTimeoutMs, sessionsPerUser, sessionLifetimeMs } = await load(
    original,
    env,
  );
  expect(listen.port).toBe(12000);
  expect({ lockDurationMs, idleTimeoutMs, sessionsPerUser }).toEqual({
    lockDurationMs: 45_000,
    idleTimeoutMs: 120_000,
    sessionsPerUser: 1,
  });
  // The file still sets what the command line does not.
  expect(sessionLifetimeMs).toBe(4 * DAY_MS);
});

test("an error about a contradicting setting names it", async () => {
  const { host } = (await load(original)).listen;
  await expect(load([...original, "--plaintext"])).rejects.toThrow(`${source} is ${host}`);
});
