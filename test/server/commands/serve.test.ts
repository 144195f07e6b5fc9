// parley-server without a command, run in this process: a real server on a free port.
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { DeviceKey } from "../../../gen/parley/chat/v1/auth_service.ts";
import { fingerprintOf, probe } from "../../../rpc/dialling/dial.ts";
import { canListen } from "../../../rpc/network/all-interfaces.ts";
import type { RpcError } from "../../../rpc/status/status.ts";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { ownCertificate } from "../../../server/files/certificate.ts";
import { packageFile } from "../../../server/files/package.ts";
import { CHEAP } from "../../support/cheap-passwords.ts";
import { TestClient } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { type FakeIo, fakeIo } from "./fake-io.ts";

const cheap = { passwordCost: CHEAP };

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "parley-serve-"));
});
afterEach(() => rm(data, { recursive: true }));

interface Served extends AsyncDisposable {
  readonly io: FakeIo;
  readonly address: string;
  readonly fingerprint: string;
  stop(): Promise<number>;
}

/** Starts a server on a free port. Disposing it stops it. */
async function serve(...flags: string[]): Promise<Served> {
  const io = fakeIo("", { isTerminal: true });
  const done = runCommandLine(["--data", data, "--listen", "127.0.0.1:0", ...flags], io, cheap);
  const block = await Promise.race([
    io.printed(/ready.*address +(\S+).*fingerprint +(\S+)/s),
    done.then((code) => Promise.reject(new Error(`ended with ${code}: ${io.err}`))),
  ]);
  const [, address = "", fingerprint = ""] = block;
  const stop = () => {
    io.listeners?.onStop("SIGTERM");
    return done;
  };
  return {
    io,
    address,
    fingerprint,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

async function run(...argv: string[]) {
  const io = fakeIo("");
  const code = await runCommandLine([...argv, "--data", data], io, cheap);
  return { code, out: io.out, err: io.err };
}

function clientOf({ address }: Served): TestClient {
  return new TestClient(Number(address.split(":").at(-1)));
}

const refusalOf = (call: Promise<unknown>): Promise<RpcError> =>
  call.then(
    () => Promise.reject(new Error("was not refused")),
    (error: RpcError) => error,
  );

const sample = ["--credentials", packageFile("docs/credentials.txt")];
const presented = async (address: string) => (await probe(address, { timeoutMs: 5000 })).fingerprint;

describe("start and stop", () => {
  test("a folder with other files is refused and not changed", async () => {
    await writeFile(join(data, "thesis.txt"), "mine");
    await chmod(data, 0o755);
    const before = (await stat(data)).mode;
    const { code, err } = await run("--listen", "127.0.0.1:0");
    expect(code).not.toBe(0);
    expect(err).toContain("--data: ");
    expect(await readdir(data)).toEqual(["thesis.txt"]);
    expect((await stat(data)).mode).toBe(before);
  });

  test("prints address and fingerprint, and two commands for sample users", async () => {
    await using server = await serve(...sample);
    expect(await presented(server.address)).toBe(server.fingerprint);
    expect(server.io.out).toContain(`--server ${server.address} --as hans\n`);
    expect(server.io.out).toContain(`--server ${server.address} --as yoda\n`);
    expect(server.io.out).toContain(data);
    expect(server.io.err).toBe("");
  });

  test("a stop ends it with code 0, removes server.json, and frees the folder", async () => {
    const first = await serve();
    expect(await readdir(data)).toContain("server.json");
    expect(await first.stop()).toBe(0);
    expect(await readdir(data)).not.toContain("server.json");
    await using second = await serve();
    expect(second.fingerprint).toBe(first.fingerprint);
  });

  test("a stop during the start ends it with code 0", async () => {
    const io = fakeIo();
    const done = runCommandLine(["--data", data, "--listen", "127.0.0.1:0"], io, cheap);
    await eventually(() => expect(io.listeners).toBeDefined());
    io.listeners?.onStop("SIGINT");
    expect(await done).toBe(0);
  });

  test("SIGHUP ends it if its terminal was closed", async () => {
    const server = await serve();
    server.io.listeners?.onHangUp(true);
    expect(await server.stop()).toBe(0);
  });
});

describe("errors at the start", () => {
  test("a second server on the same folder is refused", async () => {
    await using _ = await serve();
    const { code, err } = await run("--listen", "127.0.0.1:0");
    expect(code).toBe(1);
    expect(err).toMatch(/a server is using the data folder/);
  });

  test("for a port in use, the error names the setting and what to do", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { code, err } = await run("--listen", `127.0.0.1:${port}`);
    other.close();
    expect(code).toBe(1);
    expect(err).toMatch(/^parley-server: --listen: .*taken.*--listen 127\.0\.0\.1:0/);
  });

  test.each([
    [
      ["--credentials", "/none/users.txt"],
      /^parley-server: --credentials: \/none\/users\.txt: no such file or directory$/m,
    ],
    [
      ["--cert", "/none/c.pem", "--key", "/none/k.pem"],
      /^parley-server: --cert: \/none\/[ck]\.pem cannot be read/,
    ],
    [
      ["--log", "/none/server.log"],
      /^parley-server: --log: \/none\/server\.log: no such file or directory$/m,
    ],
  ])("%j: the error names the setting", async (flags, problem) => {
    const { code, err } = await run("--listen", "127.0.0.1:0", ...flags);
    expect(code).toBeGreaterThan(0);
    expect(err).toMatch(problem);
  });
});

describe("first users", () => {
  test("are imported once: a removed user is not imported again", async () => {
    await (await serve(...sample)).stop();
    await run("user", "remove", "yoda");
    await using server = await serve(...sample);
    expect((await run("user", "list")).out.trim().split("\n")).toHaveLength(9);
    expect(server.io.out).toContain("--as vader");
    expect(server.io.out).not.toContain("--as yoda");
  });

  test("bad lines are reported by number, and the other users can log in with passwords of 1 to 256 bytes", async () => {
    const file = join(data, "users.txt");
    const users = [
      ["hans", "f"],
      ["yoda", " wise @!man "],
      ["luke", "\u00a7\u{1f600}\u00e9".padEnd(256 - 5, "x")],
      ["leia", "$$princess$"],
    ] as const;
    const lines = users.map((pair) => pair.join(" "));
    lines.splice(1, 0, "", "nonsense", `vader ${"y".repeat(257)}`, "  ");
    await writeFile(file, lines.join("\r\n"));
    await using server = await serve("--credentials", file, "--plaintext");
    const skipped = [...server.io.err.matchAll(/users\.txt, line (\d+) skipped: (.+)/g)];
    expect(skipped.map(([, line, problem]) => [line, problem])).toEqual([
      ["3", "there is no space between user name and password"],
      ["4", "the password is longer than 256 bytes"],
    ]);
    expect(server.io.err).toMatch(/passwords are easy to guess, and should be changed: hans, leia\n/);
    expect((await run("user", "list")).out).toBe("hans\nleia\nluke\nyoda\n");
    using client = clientOf(server);
    for (const [username, password] of users) {
      expect((await client.logIn(username, password)).user?.username).toBe(username);
      const wrong = client.logIn(username, `${password}x`);
      await expect(wrong).rejects.toThrow();
    }
  });

  test("on all interfaces, a warning names the sample users whose passwords were not changed", async () => {
    const file = join(data, "users.txt");
    await writeFile(file, "hans another password\nyoda wise@!man\nluke light==saber");
    await (await serve("--credentials", file)).stop();
    const io = fakeIo();
    const done = runCommandLine(["--data", data, "--listen", "0.0.0.0:0"], io, cheap);
    await io.printed(/ready/);
    io.listeners?.onStop("SIGTERM");
    await done;
    expect(io.out).toMatch(/WARNING: the passwords of yoda, luke are public/);
  });
});

describe("rules", () => {
  const right = (client: TestClient, device?: DeviceKey) =>
    client.unary(client.auth, client.auth.logIn, {
      username: "hans",
      password: "falcon*solo",
      device,
      client: undefined,
    });

  /** Sends three wrong passwords. @returns for how long log-ins are locked, ms */
  async function lockOut(client: TestClient): Promise<number> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect((await refusalOf(client.logIn("hans", "wrong"))).reason).toBe("CREDENTIALS_WRONG");
    }
    const { reason, retryDelayMs = 0 } = await refusalOf(client.logIn("hans", "wrong"));
    expect(reason).toBe("ACCOUNT_LOCKED");
    return retryDelayMs;
  }

  test("the original's command line: one session a user, a strict lock, a time-out", async () => {
    await using server = await serve("0", "45", "120", "--plaintext");
    using first = clientOf(server);
    using second = clientOf(server);
    const { device } = await first.logIn("hans", "falcon*solo");
    using stream = first.connect();
    expect((await stream.next("welcome")).limits?.idleTimeout?.seconds).toBe(120n);
    expect((await refusalOf(right(second))).reason).toBe("TOO_MANY_SESSIONS");
    const lockedMs = await lockOut(second);
    expect(lockedMs).toBeGreaterThan(40_000);
    expect(lockedMs).toBeLessThanOrEqual(45_000);
    // The known device is locked, too.
    expect((await refusalOf(right(second, device))).reason).toBe("ACCOUNT_LOCKED");
  });

  test("the defaults: several sessions, a lock that spares known devices, no time-out", async () => {
    await using server = await serve(...sample, "--plaintext");
    using first = clientOf(server);
    using second = clientOf(server);
    const { device } = await first.logIn("hans", "falcon*solo");
    using stream = first.connect();
    const { limits } = await stream.next("welcome");
    expect(limits?.maxStreamsPerSession).toBeGreaterThan(0);
    expect(limits?.idleTimeout).toBeUndefined();
    await right(second);
    const lockedMs = await lockOut(second);
    expect(lockedMs).toBeGreaterThan(55_000);
    expect(lockedMs).toBeLessThanOrEqual(60_000);
    expect((await refusalOf(right(second))).reason).toBe("ACCOUNT_LOCKED");
    expect((await right(second, device)).grant?.user?.username).toBe("hans");
  });
});

describe("the original's command line", () => {
  beforeEach(() => {
    vi.stubEnv("HOME", data);
    vi.stubEnv("XDG_DATA_HOME", "");
  });
  afterEach(() => vi.unstubAllEnvs());

  /** Runs it until its start message is complete. */
  async function original(...argv: string[]) {
    const io = fakeIo("", { isTerminal: true });
    const done = runCommandLine(argv, io, cheap);
    const [block] = await io.printed(/ready.*can talk.*/s);
    const stop = () => {
      io.listeners?.onStop("SIGTERM");
      return done;
    };
    return { block, text: block.replaceAll(/\s+/g, " "), stop };
  }

  test("the start message lists the rules, and the server is reached on every interface", async () => {
    const { block, text, stop } = await original("0", "60", "120", "--ephemeral");
    expect(text).toContain(
      " rules the original's: all interfaces, 1 session a user, strict lock for 60 s, " +
        "time-out after 120 s, no presence grace, users of docs/credentials.txt ",
    );
    const port = /address +\S+:(\d+)/.exec(block)?.[1] ?? "";
    expect(block).toContain(`\n  npx parley 127.0.0.1 ${port}\n`);
    expect(block).toContain("The password of hans is falcon*solo and that of yoda is wise@!man");
    expect(block).toContain("WARNING: the passwords of hans, yoda, ");
    const fingerprint = /SHA256:\S+/.exec(block)?.[0];
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family, scopeid }) => family === "IPv4" || !scopeid)
      .map(({ family, address }) => (family === "IPv4" ? address : `[${address}]`));
    expect(addresses).toContain("127.0.0.1");
    expect(addresses.includes("[::1]")).toBe(await canListen("::1"));
    for (const address of addresses) expect(await presented(`${address}:${port}`), address).toBe(fingerprint);
    expect(await stop()).toBe(0);
  });

  test("without --ephemeral the data stays, in the platform's folder", async () => {
    const { block, text, stop } = await original("0", "60", "0");
    expect(text).toContain("strict lock for 60 s, no time-out, ");
    const folder = /data +(\S+)\n/.exec(block)?.[1] ?? "";
    expect(folder.startsWith(data)).toBe(true);
    await stop();
    expect(await readdir(folder)).toContain("parley.db");
  });
});

describe("ephemeral", () => {
  // The server creates its temporary folder in TMPDIR.
  beforeEach(() => vi.stubEnv("TMPDIR", data));
  afterEach(() => vi.unstubAllEnvs());

  test("the data is in a new temporary folder, which other commands can use, and which is deleted at the end", async () => {
    const io = fakeIo("", { isTerminal: true });
    const done = runCommandLine(["--ephemeral", "--listen", "127.0.0.1:0", ...sample], io, cheap);
    const [, folder = ""] = await io.printed(/data +(\S+) {2}\(deleted at the end\)/);
    expect(await readdir(data)).toEqual([basename(folder)]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const list = fakeIo();
    await runCommandLine(["user", "list", "--data", folder], list);
    expect(list.out.split("\n")).toContain("yoda");
    io.listeners?.onStop("SIGTERM");
    expect(await done).toBe(0);
    expect(await readdir(data)).toEqual([]);
  });

  test.each([
    ["--credentials", "/none/users.txt"],
    ["--listen", "192.0.2.1:0"],
  ])("a start that fails at %s deletes the temporary folder", async (flag, value) => {
    const io = fakeIo("", { isTerminal: true });
    expect(await runCommandLine(["--ephemeral", flag, value], io, cheap)).toBe(1);
    expect(io.err).toContain(`${flag}: `);
    expect(await readdir(data)).toEqual([]);
  });

  test("--ephemeral and --data contradict each other", async () => {
    expect(await run("--ephemeral", "--listen", "127.0.0.1:0")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--ephemeral: contradicts --data; leave one of them out"),
    });
    expect(await readdir(data)).toEqual([]);
  });
});

test("an invite contains the actual port of the running server", async () => {
  await using server = await serve();
  expect((await run("invite", "create")).out).toContain(`join ${server.address}/`);
  expect((await run("cert")).out).toContain("BEGIN CERTIFICATE");
});

test("SIGHUP reloads the operator's certificate and opens the log file again", async () => {
  const filesIn = (name: string) => ({
    cert: join(data, name, "cert.pem"),
    key: join(data, name, "key.pem"),
  });
  await mkdir(join(data, "live"));
  const first = await ownCertificate(filesIn("live"), []);
  const next = await ownCertificate(filesIn("next"), []);
  const { cert, key } = filesIn("live");
  const log = join(data, "server.log");
  await using server = await serve("--cert", cert, "--key", key, "--log", log);
  expect(server.fingerprint).toBe(fingerprintOf(first.cert));
  expect(await presented(server.address)).toBe(server.fingerprint);

  await rename(filesIn("next").key, key);
  await rename(filesIn("next").cert, cert);
  await rename(log, `${log}.1`);
  server.io.listeners?.onHangUp(false);
  await eventually(async () => expect(await presented(server.address)).toBe(fingerprintOf(next.cert)));
  await eventually(async () =>
    expect((await run("invite", "create")).out).toContain(fingerprintOf(next.cert)),
  );
  expect(await readFile(`${log}.1`, "utf8")).toContain('"event":"started"');
  expect(await readFile(log, "utf8")).toContain('"event":"certificate reloaded"');
});
