// parley-server itself, from its command line to its end: a real server on a free port.
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fingerprintOf, probe } from "../../../rpc/dial.ts";
import { ownCertificate } from "../../../server/certificate.ts";
import { runCommandLine } from "../../../server/commands/command-line.ts";
import { packageFile } from "../../../server/package.ts";
import { type FakeIo, fakeIo } from "./fake-io.ts";

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

/** Starts on a free port, and stops at the end of the scope. */
async function serve(...flags: string[]): Promise<Served> {
  const io = fakeIo("", { isTerminal: true });
  const done = runCommandLine(["--data", data, "--listen", "127.0.0.1:0", ...flags], io);
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
  const code = await runCommandLine([...argv, "--data", data], io);
  return { code, out: io.out, err: io.err };
}

const sample = ["--credentials", packageFile("docs/credentials.txt")];
const presented = async (address: string) => (await probe(address, { timeoutMs: 5000 })).fingerprint;

describe("start and stop", () => {
  test("a folder that holds somebody else's files is left as it is", async () => {
    await writeFile(join(data, "thesis.txt"), "mine");
    await chmod(data, 0o755);
    const before = (await stat(data)).mode;
    const { code, err } = await run("--listen", "127.0.0.1:0");
    expect(code).not.toBe(0);
    expect(err).toContain("--data: ");
    expect(await readdir(data)).toEqual(["thesis.txt"]);
    expect((await stat(data)).mode).toBe(before);
  });

  test("prints where it is and what it presents, and two lines for sample users", async () => {
    await using server = await serve(...sample);
    expect(await presented(server.address)).toBe(server.fingerprint);
    expect(server.io.out).toContain(`--server ${server.address} --as hans\n`);
    expect(server.io.out).toContain(`--server ${server.address} --as yoda\n`);
    expect(server.io.out).toContain(data);
    expect(server.io.err).toBe("");
  });

  test("a stop ends it with code 0, leaves nothing that says it runs, and frees the folder", async () => {
    const first = await serve();
    expect(await readdir(data)).toContain("server.json");
    expect(await first.stop()).toBe(0);
    expect(await readdir(data)).not.toContain("server.json");
    await using second = await serve();
    expect(second.fingerprint).toBe(first.fingerprint);
  });

  test("a stop during the start is a stop", async () => {
    const io = fakeIo();
    const done = runCommandLine(["--data", data, "--listen", "127.0.0.1:0"], io);
    await vi.waitFor(() => expect(io.listeners).toBeDefined());
    io.listeners?.onStop("SIGINT");
    expect(await done).toBe(0);
  });

  test("where its terminal is gone, SIGHUP ends it", async () => {
    const server = await serve();
    server.io.listeners?.onHangUp(true);
    expect(await server.stop()).toBe(0);
  });
});

describe("what cannot be served", () => {
  test("one folder has one server", async () => {
    await using _ = await serve();
    const { code, err } = await run("--listen", "127.0.0.1:0");
    expect(code).toBe(1);
    expect(err).toMatch(/another server is running on the data folder/);
  });

  test("a port that is taken: the error names the setting and what to do", async () => {
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
    [["--credentials", "/none/users.txt"], /^parley-server: --credentials: .*users\.txt/],
    [
      ["--cert", "/none/c.pem", "--key", "/none/k.pem"],
      /^parley-server: --cert: \/none\/[ck]\.pem cannot be read/,
    ],
    [["--log", "/none/server.log"], /^parley-server: --log: /],
  ])("%j names the setting", async (flags, problem) => {
    const { code, err } = await run("--listen", "127.0.0.1:0", ...flags);
    expect(code).toBeGreaterThan(0);
    expect(err).toMatch(problem);
  });
});

describe("first users", () => {
  test("are imported once: who is removed does not come back", async () => {
    await (await serve(...sample)).stop();
    await run("user", "remove", "yoda");
    await using server = await serve(...sample);
    expect((await run("user", "list")).out.trim().split("\n")).toHaveLength(9);
    expect(server.io.out).toContain("--as vader");
    expect(server.io.out).not.toContain("--as yoda");
  });

  test("a bad line is shown by number, and the others count", async () => {
    const file = join(data, "users.txt");
    await writeFile(file, "hans falcon*solo\r\n\r\nnonsense\r\nyoda wise@!man");
    await using server = await serve("--credentials", file);
    expect(server.io.err).toMatch(/users\.txt, line 3 skipped: there is no space/);
    expect((await run("user", "list")).out).toBe("hans\nyoda\n");
  });

  test("the sample's are warned of beyond loopback, unless their passwords are their own", async () => {
    const file = join(data, "users.txt");
    await writeFile(file, "hans another password\nyoda wise@!man\nluke light==saber");
    await (await serve("--credentials", file)).stop();
    const io = fakeIo();
    const done = runCommandLine(["--data", data, "--listen", "0.0.0.0:0"], io);
    await io.printed(/ready/);
    io.listeners?.onStop("SIGTERM");
    await done;
    expect(io.out).toMatch(/WARNING: the passwords of yoda, luke are public/);
  });
});

test("an invite names the real port of the running server", async () => {
  await using server = await serve();
  expect((await run("invite", "create")).out).toContain(`join ${server.address}/`);
  expect((await run("cert")).out).toContain("BEGIN CERTIFICATE");
});

test("the operator's certificate is replaced at SIGHUP while it serves, and the log opened anew", async () => {
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
  await vi.waitFor(async () => expect(await presented(server.address)).toBe(fingerprintOf(next.cert)));
  await vi.waitFor(async () =>
    expect((await run("invite", "create")).out).toContain(fingerprintOf(next.cert)),
  );
  expect(await readFile(`${log}.1`, "utf8")).toContain('"event":"started"');
  expect(await readFile(log, "utf8")).toContain('"event":"certificate reloaded"');
});
