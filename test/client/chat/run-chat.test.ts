// The whole program in a pseudo terminal, as a person starts it: questions first, then the screen, nothing typed lost.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultAddress } from "../../../client/cli/command/address.ts";
import { ENTER, LEAVE } from "../../../client/cli/terminal/display/terminal-modes.ts";
import { Account } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { State } from "../../../client/state/state.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { startServer } from "../cli/parley.ts";
import { Person } from "../cli/private-people.ts";

const program = fileURLToPath(new URL("../../../bin/parley.js", import.meta.url));
/** util-linux gives its command a pseudo terminal; others of that name take other flags. */
const hasScript = spawnSync("script", ["-qfec", "true", "/dev/null"]).status === 0;
/** Longer than anything here takes, ms. */
const PATIENCE_MS = 15_000;

class Terminal implements AsyncDisposable {
  #written = "";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<unknown[]>;

  constructor(folder: string, argv: readonly string[]) {
    const command = [process.execPath, program, ...argv].map((word) => `'${word}'`).join(" ");
    this.#child = spawn("script", ["-qfec", command, "/dev/null"], {
      env: { PATH: process.env.PATH, HOME: folder, PARLEY_HOME: folder, TERM: "xterm-256color" },
    });
    this.#exit = once(this.#child, "exit");
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.#written += chunk;
    });
    this.#child.stdin.on("error", () => undefined);
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Resolves when the program has written it, escapes and all left out. */
  async sees(text: string | RegExp): Promise<void> {
    const tooLate = AbortSignal.timeout(PATIENCE_MS);
    const shows = (): boolean =>
      typeof text === "string" ? this.plain.includes(text) : text.test(this.plain);
    while (!shows()) {
      await once(this.#child.stdout, "data", { signal: tooLate }).catch((cause: unknown) => {
        throw new Error(`"${text}" is not to be seen:\n${this.plain}`, { cause });
      });
    }
  }

  /** All that the program has written, escapes included. */
  get written(): string {
    return this.#written;
  }

  /** What stands last in what it has written. */
  get lastWords(): string {
    return (
      this.plain
        .trim()
        .split(/[\r\n]+/)
        .at(-1) ?? ""
    );
  }

  /** The window is closed: its program gets a SIGHUP. */
  hangUp(): void {
    this.#child.kill("SIGKILL");
  }

  get plain(): string {
    return this.#written.replaceAll(
      /\x1b(?:\[[?>]?[\d;]*[ -/]*[A-Za-z]|\][^\x1b\x07]*(?:\x1b\\|\x07)|[=>78])/g,
      "",
    );
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exit)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}

let server: TestServer;
let folder: string;

beforeEach(async () => {
  server = await startServer();
  folder = await mkdtemp(join(tmpdir(), "parley-chat-"));
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function answers(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(":").at(-1)), "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Ends the session that the program stored, behind its back. */
async function endSession(): Promise<void> {
  using state = new State(folder, { onProblem: (error) => expect.fail(error.message) });
  const profile = state.profiles.find();
  if (profile?.session === undefined) throw new Error("nobody is logged in");
  await using endpoint = new Endpoint(profile);
  await new Account(endpoint, profile.session.token).logOut();
}

/** Who is logged in, by what the server has stored. */
async function loggedIn(): Promise<string[]> {
  const { accounts } = server.store;
  const sessions = await accounts.liveSessions(0, 100, Date.now());
  const users = await accounts.usersById(sessions.map(({ userId }) => userId));
  return users.map(({ username }) => username);
}

/** Whether a login is stored here, for the user who came last. */
function isStored(): boolean {
  using state = new State(folder, { onProblem: (error) => expect.fail(error.message) });
  return state.profiles.find()?.session !== undefined;
}

describe.skipIf(!hasScript)("the original's command line at a terminal", () => {
  it.each([
    ["Ctrl-D", "\x04"],
    ["quit", "quit\r"],
    ["logout", "logout\r"],
  ])("asks though a login is stored, and %s leaves logged out", async (_name, keys) => {
    await using stored = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await stored.sees("Username");
    stored.type(`luke\r${passwordOf("luke")}\rquit\r`);
    expect(await stored.exitCode()).toBe(0);
    await using terminal = new Terminal(folder, ["127.0.0.1", String(server.port)]);
    await terminal.sees("Username");
    terminal.type(`yoda\r${passwordOf("yoda")}\r`);
    await terminal.sees("Connected to");
    expect((await loggedIn()).toSorted()).toEqual(["luke", "yoda"]);
    terminal.type(keys);
    expect(await terminal.exitCode()).toBe(0);
    expect(await loggedIn()).toEqual(["luke"]);
    expect(isStored()).toBe(false);
  });

  it("logs out where the window is closed", async () => {
    await using terminal = new Terminal(folder, ["127.0.0.1", String(server.port)]);
    await terminal.sees("Username");
    terminal.type(`yoda\r${passwordOf("yoda")}\r`);
    await terminal.sees("Connected to");
    terminal.hangUp();
    await expect.poll(loggedIn, { timeout: PATIENCE_MS }).toEqual([]);
    await expect.poll(isStored, { timeout: PATIENCE_MS }).toBe(false);
  });

  it.each(["luke", "nobody"])(
    "asks %s again for the password, and ends where log-ins are locked",
    async (name) => {
      await using terminal = new Terminal(folder, ["127.0.0.1", String(server.port)]);
      await terminal.sees("Username");
      terminal.type(`${name}\rwrong\rwrong\rwrong\r`);
      expect(await terminal.exitCode()).toBe(1);
      expect(terminal.plain.match(/✔ Username/g)).toHaveLength(1);
      expect(terminal.plain.match(/password is wrong\. Try again\./g)).toHaveLength(2);
      expect(terminal.lastWords).toContain(
        "Error: Too many wrong passwords: log-ins are locked for a while. Try again in 60 s.",
      );
    },
  );

  it("ends by itself at the server's time-out, with the reason and the terminal as it was", async () => {
    await using strict = await startServer({ idleTimeoutMs: 1_000 });
    await using terminal = new Terminal(folder, ["127.0.0.1", String(strict.port)]);
    await terminal.sees("Username");
    terminal.type(`yoda\r${passwordOf("yoda")}\r`);
    expect(await terminal.exitCode()).toBe(4);
    expect(terminal.lastWords).toBe("You are logged out: you gave no command for too long.");
    expect(terminal.written.lastIndexOf(LEAVE)).toBeGreaterThan(terminal.written.lastIndexOf(ENTER));
    expect(isStored()).toBe(false);
  });

  it("says so where the user is logged in elsewhere, at the log-in and where a login is stored", async () => {
    await using strict = await startServer({ sessionsPerUser: 1 });
    const argv = ["127.0.0.1", String(strict.port)];
    const signIn = `yoda\r${passwordOf("yoda")}\r`;
    await using before = new Terminal(folder, ["--server", argv.join(":")]);
    await before.sees("Username");
    before.type(`${signIn}quit\r`);
    expect(await before.exitCode()).toBe(0);
    const elsewhere = await mkdtemp(join(tmpdir(), "parley-chat-"));
    try {
      await using first = new Terminal(elsewhere, argv);
      await first.sees("Username");
      first.type(signIn);
      await first.sees("Connected to");
      await using stored = new Terminal(folder, []);
      expect(await stored.exitCode()).toBe(1);
      await using again = new Terminal(folder, argv);
      await again.sees("Username");
      again.type(signIn);
      expect(await again.exitCode()).toBe(1);
      const words = /Error: You are logged in already\. Log out of the other session first\.$/;
      expect([stored.lastWords, again.lastWords]).toEqual([
        expect.stringMatching(words),
        expect.stringMatching(words),
      ]);
    } finally {
      await rm(elsewhere, { recursive: true, force: true });
    }
  });
});

describe.skipIf(!hasScript)("a person at a terminal", () => {
  it("is asked for what is missing, and what is typed ahead is not lost", async () => {
    await using terminal = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await terminal.sees("Username");
    terminal.type(`luke\r${passwordOf("luke")}\ropen yoda\rsaid before it was there\r/quit\r`);
    await terminal.sees("Connected to");
    await terminal.sees("luke: said before it was there");
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.plain).not.toContain(passwordOf("luke"));
    await using again = new Terminal(folder, []);
    await again.sees("parley>");
    again.type("logout\r");
    expect(await again.exitCode()).toBe(0);
    await using last = new Terminal(folder, []);
    await last.sees("Password of luke");
  });

  it("is asked again for a user name that is none, and told in words what is wrong", async () => {
    await using terminal = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await terminal.sees("Username");
    terminal.type(" \r");
    await terminal.sees(/✔ Username.*Username/s);
    terminal.type("luke\rwrong\rwrong\rwrong\r");
    expect(await terminal.exitCode()).toBe(1);
    expect(terminal.plain).toContain("✔ Username · luke");
    expect(terminal.plain).toContain("User name or password is wrong.");
    expect(terminal.plain).not.toContain("CREDENTIALS_WRONG");
  });

  it("is asked again for a server that is no address, or does not answer", async ({ skip }) => {
    skip(await answers(defaultAddress), "a server runs at the default address");
    await using terminal = new Terminal(folder, []);
    await terminal.sees("Server (HOST:PORT)");
    terminal.type(`no address\r127.0.0.1:1\r127.0.0.1:${server.port}\r`);
    await terminal.sees('"no address" is no address');
    await terminal.sees("127.0.0.1:1 ");
    await terminal.sees("Username");
    expect(terminal.plain).not.toContain("Nothing was sent");
  });

  it("says the password again where the stored login is of no use any more", async () => {
    await using first = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await first.sees("Username");
    first.type(`luke\r${passwordOf("luke")}\r/quit\r`);
    expect(await first.exitCode()).toBe(0);
    await endSession();
    await using second = new Terminal(folder, []);
    await second.sees("You are logged out");
    await second.sees("Password of luke");
    second.type(`${passwordOf("luke")}\r`);
    await second.sees("parley>");
    second.type("\x04");
    expect(await second.exitCode()).toBe(0);
  });

  it.each([
    ["/quit", "/quit\r"],
    ["Ctrl-D", "\x04"],
  ])("is told at leaving by %s which private lines were not said", async (_name, keys) => {
    await using yodas = await Person.at(server, "yoda");
    const yoda = yodas.start("--plain");
    await yoda.prints("Logged in as yoda.");
    await using terminal = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await terminal.sees("Username");
    terminal.type(`luke\r${passwordOf("luke")}\rstartprivate yoda --relay\r`);
    await yoda.prints("luke asks for a private chat.");
    terminal.type("private yoda the plans\r");
    await terminal.sees("the plans  (waiting)");
    terminal.type(keys);
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.lastWords).toBe("1 private line to yoda was not sent.");
  });

  it("is told why the session ended, and the program ends by itself", async () => {
    await using terminal = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await terminal.sees("Username");
    terminal.type(`luke\r${passwordOf("luke")}\r`);
    await terminal.sees("Connected to");
    await endSession();
    await terminal.sees("You are logged out: this session was ended elsewhere");
    expect(await terminal.exitCode()).toBe(4);
  });
});
