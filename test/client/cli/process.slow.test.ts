// parley as a process of its own: exit codes, signals, pipes that break or stay open, and many processes on one folder.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../rpc/certificates.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { finished, Home, Lines, type Program, parsed, type Run, startServer } from "./parley.ts";
import { Running } from "./private-people.ts";

let server: TestServer;
const homes: Home[] = [];

beforeAll(async () => {
  server = await startServer({ users: ["yoda", "luke", "leia", "hans"] });
});

afterEach(async () => {
  for (const home of homes.splice(0)) await home[Symbol.asyncDispose]();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function makeHome(variables: Record<string, string> = {}): Promise<Home> {
  const home = await Home.make(variables);
  homes.push(home);
  return home;
}

async function homeOf(...users: string[]): Promise<Home> {
  const home = await makeHome();
  for (const user of users) await home.logIn(user, server);
  return home;
}

/** Runs it as a process to its end, with this standard input. */
function run(home: Home, argv: readonly string[], input = ""): Promise<Run> {
  const program = home.startProcess(...argv);
  program.stdin.on("error", () => undefined);
  program.stdin.end(input);
  return finished(program);
}

test.skipIf(process.platform !== "linux")(
  "the arguments of join and signup are hidden from other users",
  async () => {
    const home = await makeHome();
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    for (const argv of [
      ["join", `127.0.0.1:${port}/very-secret-invite/SHA256:${"A".repeat(43)}`, "kim", "--password-stdin"],
      [
        "signup",
        "kim",
        "--invite",
        "very-secret-invite",
        "--server",
        `127.0.0.1:${port}`,
        "--password-stdin",
      ],
    ]) {
      const program = home.startProcess(...argv);
      const [socket] = (await once(silent, "connection")) as [Socket];
      const shown = await readFile(`/proc/${program.pid}/cmdline`, "utf8");
      expect(shown).toContain(`parley ${argv[0]}`);
      expect(shown).not.toContain("secret");
      socket.destroy();
      await program.exited;
    }
    silent.close();
  },
);

test("the process has the exit code of the command, and messages name the program as it was started", async () => {
  const home = await makeHome({ npm_command: "exec" });
  const address = `127.0.0.1:${server.port}`;
  const [version, usage, away, absent] = await Promise.all([
    run(home, ["--version"]),
    run(home, ["snd", "yoda", "hello"]),
    run(home, ["who", "--server", address]),
    run(home, ["login", "yoda", "--password-stdin", "--server", "127.0.0.1:1"], "x"),
  ]);
  expect(version).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/^parley \d+\.\d+\.\d+\n$/),
  });
  expect(usage).toMatchObject({ code: 2, stdout: "" });
  expect(usage.stderr).toBe(
    'There is no command "snd". Did you mean send? List of commands: npx parley help\n',
  );
  expect(away).toMatchObject({ code: 4, stdout: "" });
  expect(away.stderr).toContain(`Run: npx parley login USER --server ${address}`);
  expect(absent).toMatchObject({ code: 3, stdout: "" });
  const login = await run(
    home,
    ["login", "yoda", "--password-stdin", "--server", address],
    passwordOf("yoda"),
  );
  expect(login).toMatchObject({ code: 0, stdout: `Logged in at ${address} as yoda.\n` });
  expect(await run(home, ["send", "luke", "-"], "hello\n")).toMatchObject({ code: 0, stderr: "" });
  expect(await run(home, ["history", "luke"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/yoda: hello\n$/),
  });
  expect(await run(home, ["send", "nobody", "hello"])).toMatchObject({ code: 1, stdout: "" });
});

test("a standard input that stays open does not keep the process running", async () => {
  const home = await makeHome();
  const login = home.startProcess(
    "login",
    "yoda",
    "--password-stdin",
    "--server",
    `127.0.0.1:${server.port}`,
  );
  login.stdin.write(`${passwordOf("yoda")}\n`);
  expect(await finished(login)).toMatchObject({ code: 0 });
  const chat = home.startProcess("--plain");
  chat.stdin.on("error", () => undefined);
  chat.stdin.write("quit\n");
  expect(await finished(chat)).toMatchObject({ code: 0 });
});

test("a process that has nothing left to wait for before its command ends has exit code 1", async () => {
  const silentInput =
    'import { Readable } from "node:stream";' +
    'Object.defineProperty(process, "stdin", { value: new Readable({ read() {} }) });';
  const script = `data:text/javascript,${encodeURIComponent(silentInput)}`;
  const home = await makeHome({ NODE_OPTIONS: `--import=${script}` });
  expect(await run(home, ["rpc", "LogIn", "-"])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: "Something failed in this program: it waits for an event that cannot occur.\n",
  });
});

/** Starts tail, and resolves when the stream is open. */
async function tail(home: Home): Promise<{ readonly program: Program; readonly lines: Lines }> {
  const program = home.startProcess("tail", "--json", "--all");
  const lines = new Lines(program);
  while (!("caughtUp" in parsed(await lines.next())));
  return { program, lines };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s ends tail with exit code 0", async (signal) => {
  const { program } = await tail(await homeOf("yoda"));
  program.kill(signal);
  expect(await program.exited).toBe(0);
});

test("a reader that closes the pipe ends tail with exit code 0", async () => {
  const { program } = await tail(await homeOf("yoda"));
  const luke = await homeOf("luke");
  let stderr = "";
  program.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  program.stdout.destroy();
  expect(await luke.run("send", "yoda", "this line meets a broken pipe")).toMatchObject({ code: 0 });
  expect(await program.exited).toBe(0);
  expect(stderr).toBe("");
});

test("a plain chat ends in order when SIGHUP arrives many times", async () => {
  const home = await makeHome();
  const chat = home.startProcess("127.0.0.1", String(server.port));
  chat.stdin.write(`hans\n${passwordOf("hans")}\n`);
  await new Lines(chat).next();
  let isRunning = true;
  void chat.exited.then(() => {
    isRunning = false;
  });
  while (isRunning) {
    chat.kill("SIGHUP");
    await setImmediate();
  }
  const sessions = await server.store.accounts.liveSessions(0, 100, Date.now());
  const users = await server.store.accounts.usersById(sessions.map(({ userId }) => userId));
  expect(users.map(({ username }) => username)).not.toContain("hans");
  expect(await home.run("whoami", "--as", "hans")).toMatchObject({ code: 4 });
});

test("private ends with exit code 1 if the peer stops reading and is killed", async () => {
  const yoda = await homeOf("yoda");
  const luke = await homeOf("luke");
  const reader = new Running(yoda.startProcess("private", "luke", "--wait", "1m"));
  const writer = new Running(luke.start("private", "yoda", "--wait", "1m"));
  await reader.prints("Private chat with luke");
  await writer.prints("Private chat with yoda");
  reader.child.kill("SIGSTOP");
  writer.say("one", "two");
  await writer.prints("Private chat");
  reader.child.kill("SIGKILL");
  const ended = await writer.ended;
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("The connection to yoda is lost");
});

test("a certificate that the system's roots verify is trusted without a question, and not pinned", async () => {
  const authority = makeCertificate({ isAuthority: true });
  const { key, cert } = makeCertificate({ issuer: authority, names: ["0.0.0.0"] });
  await using signed = await startServer({ tls: { key, cert } });
  const login = ["login", "yoda", "--password-stdin", "--server", `0.0.0.0:${signed.port}`];
  const stranger = await makeHome();
  expect(await run(stranger, login, passwordOf("yoda"))).toMatchObject({ code: 2 });

  const roots = join(stranger.folder, "authority.pem");
  await writeFile(roots, authority.cert);
  const home = await makeHome({ NODE_EXTRA_CA_CERTS: roots });
  expect(await run(home, login, passwordOf("yoda"))).toMatchObject({ code: 0, stderr: "" });
  expect(await run(home, ["whoami"])).toMatchObject({ code: 0, stderr: "" });
});

test("16 processes with one state folder send as two users at the same time: each message is stored once", async () => {
  const home = await homeOf("yoda", "luke");
  const users = ["yoda", "luke"];
  const runs = await Promise.all(
    Array.from({ length: 16 }, (_, index) =>
      run(home, ["send", "leia", `${index}`, "--as", users[index % 2] ?? "", "--json"]),
    ),
  );
  expect(runs.filter(({ code }) => code !== 0)).toEqual([]);
  const texts = async (user: string): Promise<string[]> => {
    const { lines } = await home.run("history", "leia", "--as", user, "--json");
    return lines.map((line) => {
      const { entry } = parsed(line) as { entry: { content: { text: string } } };
      return entry.content.text;
    });
  };
  const expected = (rest: number): string[] => Array.from({ length: 8 }, (_, index) => `${2 * index + rest}`);
  expect((await texts("yoda")).sort()).toEqual(expected(0).sort());
  expect((await texts("luke")).sort()).toEqual(expected(1).sort());
});
