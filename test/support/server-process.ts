// The server as a process, as an operator runs it. A test can kill it, and start it again on the same data and port.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TestClient } from "./client.ts";

const main = fileURLToPath(new URL("server-main.ts", import.meta.url));

export class ServerProcess implements AsyncDisposable {
  readonly folder: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;
  /** Everything that the process has printed since its last start, to stdout and stderr. */
  output = "";

  private constructor(folder: string, flags: readonly string[]) {
    this.folder = folder;
    this.#flags = flags;
  }

  /** @param users the users to create; the password of each is its name and " has a password" */
  static async start(users: readonly string[], ...flags: string[]): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), "parley-process-")), flags);
    await writeFile(
      join(server.folder, "users.txt"),
      users.map((user) => `${user} ${passwordOf(user)}\n`).join(""),
    );
    await server.start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** The resident memory of the process, bytes. */
  async residentBytes(): Promise<number> {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(this.#child?.pid)]);
    return Number(stdout) * 1024;
  }

  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child = spawn(
      process.execPath,
      [
        main,
        ...["--listen", `127.0.0.1:${this.#port}`, "--data", join(this.folder, "data")],
        ...["--credentials", join(this.folder, "users.txt"), "--plaintext", ...this.#flags],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    const read = (chunk: Buffer): void => {
      this.output += chunk.toString();
      const port = /127\.0\.0\.1:(\d+)/.exec(this.output)?.[1];
      if (!/\bready\b/.test(this.output) || port === undefined) return;
      this.#port = Number(port);
      resolve();
    };
    this.output = "";
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code, signal) => {
      reject(new Error(`the server ended (${code ?? signal}) before it was ready:\n${this.output}`));
    });
    await promise;
  }

  /** Sends a signal that ends the process, and waits for the end. @returns the exit code, or null after a signal */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const gone = once(child, "exit");
    child.kill(signal);
    const [code] = (await gone) as [number | null];
    return code;
  }

  /** Sends a signal that does not end the process, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** @param port the port that the client connects to: that of the server, or of a proxy in front of it */
  async logIn(username: string, port = this.#port): Promise<TestClient> {
    const client = new TestClient(port);
    await client.logIn(username, passwordOf(username));
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }
}

function passwordOf(username: string): string {
  return `${username} has a password`;
}
