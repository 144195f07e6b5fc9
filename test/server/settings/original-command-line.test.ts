// The original's command line as a place of settings: what it says, and what wins over it and what does not.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readArguments } from "../../../command-line/arguments.ts";
import { packageFile } from "../../../server/files/package.ts";
import { type Config, loadConfig, settingFlags } from "../../../server/settings/config.ts";
import { readOriginal } from "../../../server/settings/original-command-line.ts";

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

test("brings the original's rules, and the users of the package", async () => {
  const { listen, sourceOf, ...config } = await load(original);
  expect(config).toMatchObject({
    credentials: packageFile("docs/credentials.txt"),
    sessionsPerUser: 1,
    lock: "strict",
    blockDuration: 45,
    timeout: 120,
    presenceGrace: 0,
    data: join(home, ".local/share/parley-server"),
    plaintext: false,
    overruled: [],
  });
  expect(listen.port).toBe(12000);
  expect(["::", "0.0.0.0"]).toContain(listen.host);
  expect(sourceOf("lock")).toBe(source);
});

test("prefers the users of the current folder", async () => {
  const users = await fileWith("yoda x", "credentials.txt");
  expect((await load(original)).credentials).toBe(users);
});

test("without it a file of that name is not looked at", async () => {
  await fileWith("yoda x", "credentials.txt");
  expect((await load()).credentials).toBeUndefined();
});

test("stands below the flags, before and after it, which it names", async () => {
  const argv = ["--lock", "spare-known", ...original, "--credentials", "mine.txt"];
  expect(await load(argv)).toMatchObject({
    lock: "spare-known",
    credentials: join(home, "mine.txt"),
    blockDuration: 45,
    overruled: ["--credentials", "--lock"],
  });
});

test("stands above the environment and the file", async () => {
  const config = await fileWith("timeout = 5\nsessions-per-user = 3\nsession-lifetime = 4", "parley.toml");
  const env = { PARLEY_LISTEN: "127.0.0.1:1", PARLEY_BLOCK_DURATION: "7", PARLEY_CONFIG: config };
  const { listen, blockDuration, timeout, sessionsPerUser, sessionLifetime } = await load(original, env);
  expect(listen.port).toBe(12000);
  expect({ blockDuration, timeout, sessionsPerUser }).toEqual({
    blockDuration: 45,
    timeout: 120,
    sessionsPerUser: 1,
  });
  // Of what it does not speak they go on to say.
  expect(sessionLifetime).toBe(4);
});

test("is named where it cannot be together with something else", async () => {
  const { host } = (await load(original)).listen;
  await expect(load([...original, "--plaintext"])).rejects.toThrow(`${source} says ${host}`);
});
