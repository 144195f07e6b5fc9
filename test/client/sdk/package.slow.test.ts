// The package as a user installs it: packed, installed in an empty project, and used by the example bots.
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text as textOf } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Connection, connect } from "../../../client/sdk/index.ts";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { readPage } from "../../repo/markdown.ts";
import { read, root } from "../../repo/sources.ts";
import { passwordOf, TestServer } from "../../support/server.ts";
import { certificate } from "../cli/parley.ts";

const run = promisify(execFile);
const tsc = join(root, "node_modules", ".bin", "tsc");
let project = "";

/** The steps of examples/bot/README.md, in another folder. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "parley-bot-"));
  await run("npm", ["pack", "--pack-destination", project], { cwd: root });
  const [tarball = ""] = (await readdir(project)).filter((file) => file.endsWith(".tgz"));
  await cp(join(root, "examples", "bot"), project, { recursive: true });
  const { devDependencies } = JSON.parse(read("package.json"));
  const types = `@types/node@${devDependencies["@types/node"]}`;
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`, types], {
    cwd: project,
  });
}, 120_000);

afterAll(() => rm(project, { recursive: true, force: true }));

test("the types of the package work in a strict project", async () => {
  const { stdout } = await run(tsc, ["--listFiles"], { cwd: project });
  expect(stdout).toContain("node_modules/parley/dist/client/sdk/index.d.ts");
  // If types were missing from the package, they would be any, and these lines would have no errors.
  const wrong = [
    'import { connect } from "parley";',
    'const link = await connect({ address: "", login: { token: "" } });',
    "export const state: number = link.state.phase;",
    "for await (const event of link.events) if (event.type === 'entries') break;",
    'export const ack: string = await link.send("yoda", "hi");',
  ];
  await writeFile(join(project, "wrong.ts"), wrong.join("\n"));
  const errors = await typeErrors();
  await rm(join(project, "wrong.ts"));
  expect([...errors.matchAll(/^wrong\.ts\((\d+)/gm)].map(([, line]) => line)).toEqual(["3", "4", "5"]);
});

test("the examples of docs/sdk.md have no type errors", async () => {
  const blocks = readPage("docs/sdk.md").fences.filter(({ language }) => language === "ts");
  expect(blocks.length).toBeGreaterThan(2);
  const around = [
    'import type { Connection, PrivateChats } from "parley";',
    "declare const link: Connection, chats: PrivateChats, conversationId: string;\n",
  ].join("\n");
  const files = blocks.map(({ text }, index) => {
    const isWhole = text.startsWith("import ");
    return { name: `page-${index}.ts`, text: isWhole ? text : `${around}${text}\nexport {};` };
  });
  await Promise.all(files.map(({ name, text }) => writeFile(join(project, name), text)));
  expect(await typeErrors()).toBe("");
  await Promise.all(files.map(({ name }) => rm(join(project, name))));
});

test("the private chat examples of docs/sdk.md open a chat, exchange lines and end it", async () => {
  const tls = await certificate();
  await using server = await TestServer.start({ users: ["bot", "luke"], tls });
  const address = `127.0.0.1:${server.port}`;
  const trust = { kind: "pin", fingerprint: fingerprintOf(tls.cert) } as const;
  const [answering = "", asking = ""] = readPage("docs/sdk.md")
    .fences.map(({ text }) => text)
    .filter((text) => text.includes("chats.events"));
  const [before = ""] = answering.split("for await (const event of chats.events)");
  const start = async (username: string, text: string): Promise<ChildProcess> => {
    const program = text
      .replace('"chat.example.org:12000",', `"${address}", trust: ${JSON.stringify(trust)},`)
      .replace('"bot"', `"${username}"`)
      .replace('"yoda"', '"bot"')
      .replace("bot-state", `chats-of-${username}`);
    const file = join(project, `chats-of-${username}.ts`);
    await writeFile(file, program);
    const env = { PATH: process.env.PATH, PARLEY_PASSWORD: passwordOf(username) };
    const child = spawn(process.execPath, [file], {
      cwd: project,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill());
    return child;
  };

  const login = { username: "luke", password: passwordOf("luke") };
  await using watching = await connect({ address, trust, login });
  await start("bot", answering);
  for await (const event of watching.events) {
    if (event.type === "presence" && event.cameOnline.some(({ username }) => username === "bot")) break;
  }
  const luke = await start("luke", `${before}${asking}`);
  const gone = once(luke, "exit");
  if (luke.stdout === null) throw new Error("luke has no output.");
  expect(await textOf(luke.stdout)).toBe("Between us: Between us?\n");
  expect(await gone).toEqual([0, null]);
}, 60_000);

test("modules that are not exported cannot be imported", async () => {
  const inner = "parley/dist/client/link/link.js";
  const code = `await import('${inner}')`;
  await expect(
    run(process.execPath, ["--input-type=module", "-e", code], { cwd: project }),
  ).rejects.toMatchObject({
    stderr: expect.stringContaining("ERR_PACKAGE_PATH_NOT_EXPORTED"),
  });
  const messages = 'import { Reason } from "parley/messages"; console.log(Reason.USER_NOT_FOUND > 0)';
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", messages], { cwd: project });
  expect(stdout).toBe("true\n");
});

test("on a Node.js that is too old the import names the needed version", async () => {
  const preload = join(project, "old-node.mjs");
  await writeFile(preload, oldNode);
  // Without this syntax, as in an old Node.js: a module that uses it could not be read at all.
  const syntax = "--no-js-explicit-resource-management";
  const program = [syntax, "--import", preload, "--input-type=module", "-e", "import 'parley'"];
  const failing = run(process.execPath, program, { cwd: project });
  // bin/launch.js needs the same version.
  const [, major, minor] = read("bin/launch.js").match(/LEAST_NODE = \[(\d+), (\d+)\]/) ?? [];
  await expect(failing).rejects.toMatchObject({
    stderr: expect.stringContaining(`Error: Parley needs Node ${major}.${minor} or newer; this is v22.11.0.`),
  });
});

test.each(["bot.ts", "bot.js"])(
  "%s prints in one line why it cannot start, and exits with 1",
  async (name) => {
    const tls = await certificate();
    await using server = await TestServer.start({ users: ["yoda"], tls });
    const cwd = await mkdtemp(join(project, "stranger-"));
    const start = (fingerprint: string): Promise<unknown> => {
      const args = [join(project, name), `127.0.0.1:${server.port}`, fingerprint, "yoda"];
      return run(process.execPath, args, { cwd, env: { PATH: process.env.PATH, PARLEY_PASSWORD: "wrong" } });
    };
    const inOneLine = (reason: string) => expect.stringMatching(new RegExp(`^[^\\n]+ \\(${reason}\\)\\n$`));
    await expect(start(fingerprintOf(tls.cert))).rejects.toMatchObject({
      code: 1,
      stderr: inOneLine("CREDENTIALS_WRONG"),
    });
    const other = `SHA256:${"A".repeat(43)}`;
    await expect(start(other)).rejects.toMatchObject({ code: 1, stderr: inOneLine("fingerprint-mismatch") });
  },
);

test("bot.ts and bot.js answer every message once, across restarts of the server and of themselves", async () => {
  const tls = await certificate();
  await using server = await TestServer.start({ users: ["luke", "bot.ts", "bot.js"], tls });
  const place = {
    address: `127.0.0.1:${server.port}`,
    trust: { kind: "pin", fingerprint: fingerprintOf(tls.cert) },
  } as const;
  await using luke = await connect({ ...place, login: { username: "luke", password: passwordOf("luke") } });
  const answers = new Answers(luke);

  const first = ["bot.ts", "bot.js"].map((name) => new Bot(name, place));
  await Promise.all(first.map((bot) => bot.phase("live")));
  await sendToBots(luke, "one");
  expect(await answers.next(2)).toEqual(["bot.js: You said: one", "bot.ts: You said: one"]);

  await server.stop();
  await Promise.all(first.map((bot) => bot.phase("waiting")));
  await server.start();
  luke.retryNow();
  await sendToBots(luke, "two");
  expect(await answers.next(2)).toEqual(["bot.js: You said: two", "bot.ts: You said: two"]);

  for (const bot of first) expect(await bot.stop()).toBe(0);
  await sendToBots(luke, "three");
  const second = ["bot.ts", "bot.js"].map((name) => new Bot(name, place));
  expect(await answers.next(2)).toEqual(["bot.js: You said: three", "bot.ts: You said: three"]);
  for (const bot of second) expect(await bot.stop()).toBe(0);
  for (const name of ["bot.ts", "bot.js"]) {
    expect(await textsWith(luke, name)).toEqual(
      ["one", "two", "three"].flatMap((text) => [text, `You said: ${text}`]),
    );
  }
}, 60_000);

test("both programs run from the package: one user sends a message over its server, and another reads it", async () => {
  const program = (name: string): string => join(project, "node_modules", "parley", "bin", `${name}.js`);
  const env = { PATH: process.env.PATH, HOME: project, PARLEY_HOME: join(project, "home") };
  const flags = ["--data", join(project, "data"), "--listen", "127.0.0.1:0", "--credentials"];
  const server = spawn(
    process.execPath,
    [program("parley-server"), ...flags, join(project, "node_modules/parley/docs/credentials.txt")],
    { env, stdio: ["ignore", "pipe", "ignore"] },
  );
  onTestFinished(() => void server.kill());
  let address = "";
  for await (const line of createInterface({ input: server.stdout })) {
    address = /^ +address +(\S+)/.exec(line)?.[1] ?? "";
    if (address !== "") break;
  }
  server.stdout.resume();
  const parley = (input: string, ...argv: string[]): string => {
    const child = spawnSync(process.execPath, [program("parley"), ...argv], { env, input, encoding: "utf8" });
    expect({ argv, status: child.status }).toEqual({ argv, status: 0 });
    return child.stdout;
  };
  const sample = read("docs/credentials.txt").split("\n");
  for (const name of ["hans", "yoda"]) {
    const password = sample.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? "";
    parley(password, "login", name, "--password-stdin", "--server", address);
  }
  expect(parley("", "--version")).toBe(`parley ${JSON.parse(read("package.json")).version}\n`);
  expect(parley("", "send", "hans", "hello")).toBe("Sent as yoda to hans: number 1.\n");
  expect(parley("", "history", "yoda", "--as", "hans")).toMatch(/yoda: hello\n$/);
  // Both use the schema of the package.
  expect(parley("", "whoami", "--json")).toContain('"username":"hans"');
  expect(parley("", "rpc", "ListUsers")).toBe("{}\n");
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
}, 60_000);

/** Simulates an old Node.js: its version, and a node:tls with fewer exports. */
const oldNode = `
import { registerHooks } from "node:module";
import * as tls from "node:tls";

Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.11.0" } });
Object.defineProperty(process, "version", { value: "v22.11.0" });
const { default: _, getCACertificates, ...had } = tls;
const source = \`import tls from "node:tls"; export const { \${Object.keys(had).join(", ")} } = tls;\`;
const url = \`data:text/javascript,\${encodeURIComponent(source)}\`;
registerHooks({
  resolve: (name, context, next) =>
    name === "node:tls" && context.parentURL !== url ? { url, shortCircuit: true } : next(name, context),
});
`;

/** The errors of the compiler for the project. */
async function typeErrors(): Promise<string> {
  return run(tsc, [], { cwd: project }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

async function sendToBots(luke: Connection, text: string): Promise<void> {
  await Promise.all(["bot.ts", "bot.js"].map((bot) => luke.send(bot, text)));
}

async function textsWith(luke: Connection, username: string): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for await (const { items } of luke.account.listMessages({ kind: "user", username })) {
    for (const { item } of items) if (item?.$case === "entry") texts.push(item.value.content?.kind?.value);
  }
  return texts;
}

/** The messages that luke receives. */
class Answers {
  readonly #events: AsyncIterator<string>;

  constructor(luke: Connection) {
    this.#events = Answers.#of(luke);
  }

  /** The next messages, sorted by sender. */
  async next(count: number): Promise<string[]> {
    const answers: string[] = [];
    while (answers.length < count) answers.push((await this.#events.next()).value ?? "the link ended");
    return answers.sort();
  }

  static async *#of(luke: Connection): AsyncGenerator<string, undefined, void> {
    for await (const event of luke.events) {
      if (event.type !== "entry" || event.mine || event.content.kind !== "text") continue;
      yield `${event.sender.username}: ${event.content.text}`;
    }
  }
}

/** An example bot in a process of its own, with a state folder that outlives it. */
class Bot {
  readonly #child: ChildProcess;
  readonly #phases: AsyncIterator<string>;

  constructor(file: string, { address, trust }: { address: string; trust: { fingerprint: string } }) {
    const cwd = join(project, `of-${file}`);
    mkdirSync(cwd, { recursive: true });
    this.#child = spawn(process.execPath, [join(project, file), address, trust.fingerprint, file], {
      cwd,
      env: { PATH: process.env.PATH, PARLEY_PASSWORD: passwordOf(file) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("The bot has no output.");
    this.#phases = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async phase(wanted: string): Promise<void> {
    for (;;) {
      const { value, done } = await this.#phases.next();
      if (done === true) throw new Error(`The bot ended before it was ${wanted}.`);
      if (value === wanted) return;
    }
  }

  async stop(): Promise<unknown> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const [code] = await gone;
    return code;
  }
}
