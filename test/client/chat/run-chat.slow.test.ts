// The chat as a process in a real pseudo terminal: keys typed ahead, raw mode, and a window that is closed.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { passwordOf, type TestServer } from "../../support/server.ts";
import { Home, startServer } from "../cli/parley.ts";
import { isLoginStored, loggedInUsers } from "./logins.ts";

const program = fileURLToPath(new URL("../../../bin/parley.js", import.meta.url));
/** `script` of util-linux runs its command in a pseudo terminal; other programs of that name take other flags. */
const hasScript = spawnSync("script", ["-qfec", "true", "/dev/null"]).status === 0;
/** Longer than any step of these tests takes, ms. */
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

  /** Resolves when the program has written the text, escape sequences left out. */
  async sees(text: string): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (!this.plain.includes(text)) {
      await once(this.#child.stdout, "data", { signal: late }).catch((cause: unknown) => {
        throw new Error(`"${text}" is not shown:\n${this.plain}`, { cause });
      });
    }
  }

  /** Closes the window: the program gets a SIGHUP. */
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
let home: Home;

beforeEach(async () => {
  server = await startServer();
  home = await Home.make();
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

describe.skipIf(!hasScript)("in a pseudo terminal", () => {
  it("lines typed ahead are used, and the password is not shown", async () => {
    await using terminal = new Terminal(home.folder, ["--server", `127.0.0.1:${server.port}`]);
    await terminal.sees("Username");
    terminal.type(`luke\r${passwordOf("luke")}\ropen yoda\rsaid before it was there\r/quit\r`);
    await terminal.sees("Connected to");
    await terminal.sees("luke: said before it was there");
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.plain).not.toContain(passwordOf("luke"));
  });

  it("the original's command line logs out when the window is closed", async () => {
    await using terminal = new Terminal(home.folder, ["127.0.0.1", String(server.port)]);
    await terminal.sees("Username");
    terminal.type(`yoda\r${passwordOf("yoda")}\r`);
    await terminal.sees("Connected to");
    terminal.hangUp();
    await expect.poll(() => loggedInUsers(server), { timeout: PATIENCE_MS }).toEqual([]);
    await expect.poll(() => isLoginStored(home.folder), { timeout: PATIENCE_MS }).toBe(false);
  });
});
