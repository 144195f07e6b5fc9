// The whole program in a pseudo terminal, as a person starts it: questions first, then the screen, nothing typed lost.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultAddress } from "../../../client/cli/address.ts";
import { Account } from "../../../client/link/account.ts";
import { Endpoint } from "../../../client/link/endpoint.ts";
import { State } from "../../../client/state/state.ts";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { startServer } from "../cli/parley.ts";

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

  it("is told why the session ended, and the program ends by itself", async () => {
    await using terminal = new Terminal(folder, ["--server", `127.0.0.1:${server.port}`]);
    await terminal.sees("Username");
    terminal.type(`luke\r${passwordOf("luke")}\r`);
    await terminal.sees("Connected to");
    await endSession();
    await terminal.sees("You are logged out: the session was ended elsewhere");
    expect(await terminal.exitCode()).toBe(4);
  });
});
