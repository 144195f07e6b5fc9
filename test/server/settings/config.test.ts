// Settings: precedence, error messages, and that help and docs follow the table.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readArguments } from "../../../command-line/arguments.ts";
import { type Config, dataOf, loadConfig, settingFlags } from "../../../server/settings/config.ts";
import { describeSettings } from "../../../server/settings/help.ts";
import { environmentName, flagName, settingNames, settingOf } from "../../../server/settings/settings.ts";

const DAY_MS = 86_400_000;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "parley-config-"));
});
afterEach(() => rm(home, { recursive: true }));

interface Given {
  argv?: string[];
  env?: Record<string, string>;
  platform?: NodeJS.Platform;
}

async function load({ argv = [], env = {}, platform = "linux" }: Given = {}): Promise<Config> {
  const { flags } = readArguments(argv, settingFlags());
  return loadConfig({ flags, env: { HOME: home, ...env }, platform, folder: home });
}

async function fileWith(text: string, name = "parley.toml"): Promise<string> {
  const file = join(home, name);
  await writeFile(file, text);
  return file;
}

describe("precedence", () => {
  test("a setting that is not given has its default", async () => {
    expect(await load()).toMatchObject({
      listen: { host: "127.0.0.1", port: 12000 },
      publicName: [],
      credentials: undefined,
      config: undefined,
      signUp: "invite",
      plaintext: false,
      ephemeral: false,
      sessionsPerUser: 8,
      lock: "spare-known",
      lockDurationMs: 60_000,
      idleTimeoutMs: undefined,
      presenceGraceMs: 10_000,
      sessionLifetimeMs: 90 * DAY_MS,
      overruled: undefined,
      logFile: undefined,
      logLevel: "info",
      logStderr: false,
    });
  });

  test("a flag wins over the environment, the environment over the file, the file over the default", async () => {
    const config = await fileWith('presence-grace = 1\nsign-up = "open"\nlog-level = "debug"');
    const argv = ["--config", config, "--presence-grace", "3"];
    const env = { PARLEY_PRESENCE_GRACE: "2", PARLEY_SIGN_UP: "closed" };
    const { presenceGraceMs, signUp, logLevel, sessionLifetimeMs, sourceOf } = await load({ argv, env });
    expect({ presenceGraceMs, signUp, logLevel, sessionLifetimeMs }).toEqual({
      presenceGraceMs: 3_000,
      signUp: "closed",
      logLevel: "debug",
      sessionLifetimeMs: 90 * DAY_MS,
    });
    expect(sourceOf("presenceGraceMs")).toBe("--presence-grace");
    expect(sourceOf("signUp")).toBe("PARLEY_SIGN_UP in the environment");
    expect(sourceOf("logLevel")).toBe(`log-level in ${config}`);
  });

  test("the data folder's own file is read if it exists, unless --config names another file", async () => {
    await mkdir(join(home, "data"));
    await fileWith("presence-grace = 7", "data/parley-server.toml");
    const argv = ["--data", "data"];
    expect((await load({ argv })).presenceGraceMs).toBe(7_000);
    const other = await fileWith("session-lifetime = 5", "other.toml");
    expect((await load({ argv: [...argv, "--config", other] })).presenceGraceMs).toBe(10_000);
  });

  test("the file can set the data folder, unless the file is located in the data folder", async () => {
    const config = await fileWith('data = "here"');
    expect((await load({ argv: ["--config", config] })).data).toBe(join(home, "here"));
    await mkdir(join(home, "data"));
    await fileWith('data = "here"', "data/parley-server.toml");
    await expect(load({ argv: ["--data", "data"] })).rejects.toThrow(
      /data in .*parley-server.toml: a file inside/,
    );
  });

  test("an empty variable counts as not set", async () => {
    expect((await load({ env: { PARLEY_LISTEN: "" } })).listen.port).toBe(12000);
  });

  test("public-name is a list: repeated flags, commas in the environment, a list in the file", async () => {
    const names = ["chat.example.org", "192.0.2.1", "2001:db8::1"];
    const argv = names.flatMap((name) => ["--public-name", name]);
    expect((await load({ argv })).publicName).toEqual(names);
    expect((await load({ env: { PARLEY_PUBLIC_NAME: names.join(", ") } })).publicName).toEqual(names);
    const config = await fileWith(`public-name = ${JSON.stringify(names)}`);
    expect((await load({ argv: ["--config", config] })).publicName).toEqual(names);
    const single = await fileWith('public-name = "[2001:db8::1]"');
    expect((await load({ argv: ["--config", single] })).publicName).toEqual(["2001:db8::1"]);
  });

  test("a switch is set by a flag, by a negated flag, by a variable and by the file", async () => {
    expect((await load({ argv: ["--plaintext"] })).plaintext).toBe(true);
    expect((await load({ argv: ["-d"] })).logStderr).toBe(true);
    expect((await load({ argv: ["--no-plaintext"], env: { PARLEY_PLAINTEXT: "1" } })).plaintext).toBe(false);
    const config = await fileWith("plaintext = true");
    expect((await load({ argv: ["--config", config] })).plaintext).toBe(true);
  });

  test("relative paths are resolved against the current folder, and in a file against the file's folder", async () => {
    await mkdir(join(home, "etc"));
    const config = await fileWith('log = "server.log"', "etc/parley.toml");
    expect((await load({ argv: ["--config", config] })).logFile).toBe(join(home, "etc", "server.log"));
    expect((await load({ argv: ["--log", "server.log"] })).logFile).toBe(join(home, "server.log"));
  });
});

describe("ephemeral", () => {
  test("data is undefined, and the default data folder's file is not read", async () => {
    await mkdir(join(home, ".local/share/parley-server"), { recursive: true });
    await fileWith("presence-grace = 7", ".local/share/parley-server/parley-server.toml");
    expect((await load()).presenceGraceMs).toBe(7_000);
    expect(await load({ argv: ["--ephemeral"] })).toMatchObject({ data: undefined, presenceGraceMs: 10_000 });
    expect((await load({ argv: ["--ephemeral"], env: { HOME: "" } })).data).toBeUndefined();
  });

  test("a file named with --config is read, and can set ephemeral", async () => {
    const config = await fileWith("ephemeral = true\npresence-grace = 7");
    expect(await load({ argv: ["--config", config] })).toMatchObject({
      data: undefined,
      presenceGraceMs: 7_000,
    });
    expect(await load({ argv: ["--config", config, "--no-ephemeral"] })).toMatchObject({
      data: join(home, ".local/share/parley-server"),
    });
  });

  test("a command beside the server requires --data, which wins over ephemeral", async () => {
    const env = { PARLEY_EPHEMERAL: "true" };
    expect(() => dataOf({ data: undefined, sourceOf: () => "PARLEY_EPHEMERAL in the environment" })).toThrow(
      /^PARLEY_EPHEMERAL in the environment: give the running server's data folder with --data$/,
    );
    expect(dataOf(await load({ argv: ["--data", "data"], env }))).toBe(join(home, "data"));
  });

  test("a file inside the data folder cannot set ephemeral", async () => {
    await mkdir(join(home, "data"));
    await fileWith("ephemeral = true", "data/parley-server.toml");
    await expect(load({ argv: ["--data", "data"] })).rejects.toThrow(
      /ephemeral in .*parley-server.toml: a file inside/,
    );
  });
});

describe("the data folder's default", () => {
  test.each<[string, Given, string]>([
    ["XDG_DATA_HOME", { env: { XDG_DATA_HOME: "/xdg" } }, "/xdg/parley-server"],
    [
      "a relative XDG_DATA_HOME is ignored",
      { env: { HOME: "/h", XDG_DATA_HOME: "x" } },
      "/h/.local/share/parley-server",
    ],
    ["home", { env: { HOME: "/h" } }, "/h/.local/share/parley-server"],
    ["macOS", { env: { HOME: "/h" }, platform: "darwin" }, "/h/Library/Application Support/parley-server"],
  ])("%s", async (_what, given, folder) => expect((await load(given)).data).toBe(folder));

  test("without a home directory, the error asks for --data", async () => {
    await expect(load({ env: { HOME: "" } })).rejects.toThrow("--data: give a folder");
  });
});

describe("listen", () => {
  test.each([
    ["0.0.0.0:0", "0.0.0.0", 0],
    ["[::1]:12000", "::1", 12000],
    ["[::]:65535", "::", 65535],
    ["chat.example.org:443", "chat.example.org", 443],
  ])("%s", async (text, host, port) => {
    expect((await load({ argv: ["--listen", text] })).listen).toEqual({ host, port });
  });
  test.each([
    "12000",
    "localhost",
    "::1:12000",
    "1.2.3:80",
    "[127.0.0.1]:80",
    "a:70000",
    "a b:1",
    "",
    "a:-1",
    "a:x",
  ])("%j is refused", async (text) => {
    await expect(load({ argv: ["--listen", text] })).rejects.toThrow(/^--listen: /);
  });
});

describe("errors name the setting and its source", () => {
  test.each<[string, Given, RegExp]>([
    [
      "a flag",
      { argv: ["--presence-grace", "-1"] },
      /^--presence-grace: expected a whole number of seconds, 0 to 86400, not "-1"$/,
    ],
    [
      "a variable",
      { env: { PARLEY_LISTEN: "x:70000" } },
      /^PARLEY_LISTEN in the environment: "x:70000" is not an address: a port is 0 to 65535/,
    ],
    [
      "a choice",
      { argv: ["--sign-up", "maybe"] },
      /^--sign-up: expected one of closed, invite, open, not "maybe"$/,
    ],
    [
      "a switch",
      { env: { PARLEY_PLAINTEXT: "si" } },
      /^PARLEY_PLAINTEXT in the environment: expected true or false/,
    ],
    ["a name", { argv: ["--public-name", "chat.example.org:443"] }, /^--public-name: .*without port/],
    [
      "an unknown flag",
      { argv: ["--lisen", "x"] },
      /^There is no flag --lisen\. Did you mean --listen\? Put -- before words that begin with a dash\.$/,
    ],
    ["a missing value", { argv: ["--listen"] }, /^--listen needs a value: --listen HOST:PORT\.$/],
    ["a flag given twice", { argv: ["--data", "a", "--data", "b"] }, /^--data is given twice\.$/],
    ["an unknown letter", { argv: ["-x"] }, /^There is no flag -x\./],
    [
      "a missing file",
      { argv: ["--config", "none.toml"] },
      /none\.toml cannot be read: no such file or directory$/,
    ],
    ["a certificate without its key", { argv: ["--cert", "c.pem"] }, /^--cert: requires --key$/],
    [
      "a key without its certificate",
      { env: { PARLEY_KEY: "k.pem" } },
      /^PARLEY_KEY in the environment: requires --cert/,
    ],
    [
      "sessions a user",
      { argv: ["--sessions-per-user", "0"] },
      /^--sessions-per-user: expected a whole number of sessions, 1 to 1000, not "0"$/,
    ],
    ["a lock", { argv: ["--lock", "loose"] }, /^--lock: expected one of strict, spare-known, not "loose"$/],
    [
      "a lock duration of zero",
      { env: { PARLEY_BLOCK_DURATION: "0" } },
      /^PARLEY_BLOCK_DURATION in the environment: expected a whole number of seconds, 1 to 31536000, not "0"$/,
    ],
    [
      "a negative time-out",
      { argv: ["--timeout", "-1"] },
      /^--timeout: expected a whole number of seconds, 0 to 31536000, not "-1"$/,
    ],
    [
      "plaintext on an address other than loopback",
      { argv: ["--plaintext"], env: { PARLEY_LISTEN: "0.0.0.0:1" } },
      /^--plaintext: only on a loopback.*PARLEY_LISTEN in the environment is 0\.0\.0\.0$/,
    ],
    [
      "plaintext with a certificate",
      { argv: ["--plaintext", "--cert", "c", "--key", "k"] },
      /^--plaintext: contradicts --cert/,
    ],
  ])("%s", async (_what, given, message) => {
    // An invalid flag throws already when the arguments are parsed.
    await expect((async () => load(given))()).rejects.toThrow(message);
  });

  test.each<[string, string, RegExp]>([
    ["a value", "listen = 12000", /^listen in .*parley\.toml: "12000" is not an address\. Write HOST:PORT/],
    [
      "an unknown key",
      'sing-up = "open"',
      /^sing-up in .*parley\.toml: no such setting, did you mean sign-up\?$/,
    ],
    ["a table", "[listen]\nport = 1", /^listen in .*parley\.toml: expected a text/],
    ["a list for a single value", 'log-level = ["info"]', /^log-level in .*: expected a text/],
    ["a syntax error", "a = \n", /parley\.toml, line 1: /],
    ["another config file", 'config = "x"', /^config in .*: no such setting/],
    ["names of Object.prototype", "__proto__ = 1\nconstructor = 1", /no such setting/],
  ])("an error in the file: %s", async (_what, text, message) => {
    const config = await fileWith(text);
    await expect(load({ argv: ["--config", config] })).rejects.toThrow(message);
  });

  test.each(["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])(
    "plaintext on %s is allowed",
    async (listen) => {
      expect((await load({ argv: ["--plaintext", "--listen", listen] })).plaintext).toBe(true);
    },
  );
});

describe("arguments", () => {
  const flags = [
    { name: "data", value: "DIR" },
    { name: "force", short: "f" },
  ];
  test("a value follows its flag or is attached to it, and -- ends the flags", () => {
    const { flags: given, words } = readArguments(
      ["add", "--data=a=b", "-f", "-5", "-", "--", "--data"],
      flags,
    );
    expect(Object.fromEntries(given)).toEqual({ data: ["a=b"], force: ["true"] });
    expect(words).toEqual(["add", "-5", "-", "--data"]);
  });
});

describe("help and docs", () => {
  test("help names every setting and fits into 80 columns", () => {
    const help = describeSettings();
    for (const name of settingNames) expect(help).toContain(`--${flagName(name)}`);
    for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("the table in docs/configuration.md has the same rows, texts and order", async () => {
    const page = await readFile(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    // The widths of the columns do not matter.
    expect(rows.map((row) => row.replace(/ +/g, " "))).toEqual(settingNames.map(rowOf));
  });
});

function rowOf(name: (typeof settingNames)[number]): string {
  const { short, value, default: fallback, help, isRepeated } = settingOf(name);
  const flag = `${short === undefined ? "" : `-${short}, `}--${flagName(name)}${value === undefined ? "" : ` ${value}`}`;
  const meaning = isRepeated === true ? `${help} Can be repeated.` : help;
  const cells = [
    `\`${flagName(name)}\``,
    `\`${flag.replaceAll("|", "\\|")}\``,
    `\`${environmentName(name)}\``,
    fallback === undefined ? "" : `\`${fallback}\``,
    meaning,
  ];
  return `| ${cells.join(" | ")} |`.replace(/ +/g, " ");
}
