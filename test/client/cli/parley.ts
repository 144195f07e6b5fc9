// Runs the real `parley` as a process of its own, with a state folder of its own, against a real server with TLS.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { ownCertificate } from "../../../server/files/certificate.ts";
import { passwordOf, TestServer, type TestServerOptions } from "../../support/server.ts";

const program = fileURLToPath(new URL("../../../bin/parley.js", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output, line by line. */
  readonly lines: readonly string[];
}

export class Home implements AsyncDisposable {
  readonly folder: string;
  readonly #variables: Record<string, string>;
  readonly #children = new Set<ChildProcessWithoutNullStreams>();

  private constructor(folder: string, variables: Record<string, string>) {
    this.folder = folder;
    this.#variables = variables;
  }

  static async make(variables: Record<string, string> = {}): Promise<Home> {
    return new Home(await mkdtemp(join(tmpdir(), "parley-home-")), variables);
  }

  /** Starts it with an open standard input. */
  start(...argv: string[]): ChildProcessWithoutNullStreams {
    const child = spawn(process.execPath, [program, ...argv], {
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        PARLEY_HOME: this.folder,
        TZ: "UTC",
        ...this.#variables,
      },
    });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** Runs it to its end, with nothing on standard input. */
  run(...argv: string[]): Promise<Run> {
    return this.pipe("", ...argv);
  }

  async pipe(input: string | Uint8Array, ...argv: string[]): Promise<Run> {
    const child = this.start(...argv);
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    return finished(child);
  }

  /** Logs in, and expects it to work. */
  async logIn(username: string, server: TestServer, ...flags: string[]): Promise<void> {
    const place = ["--server", `127.0.0.1:${server.port}`, ...flags];
    const run = await this.pipe(passwordOf(username), "login", username, "--password-stdin", ...place);
    expect(run).toMatchObject({ code: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }),
    );
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Both outputs and the exit code, once it has ended. */
export async function finished(child: ChildProcessWithoutNullStreams): Promise<Run> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr, lines: stdout.split("\n").slice(0, -1) };
}

/** The lines of a process that goes on, one by one. */
export class Lines {
  readonly #iterator: AsyncIterator<string>;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    const { value, done } = await this.#iterator.next();
    if (done === true) throw new Error("it printed no more lines");
    return value;
  }
}

/** A certificate as the server makes them, with a key of its own each time. */
export async function certificate(): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), "parley-tls-"));
  try {
    return await ownCertificate({ cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  return TestServer.start({
    users: ["yoda", "luke"],
    tls: await certificate(),
    signUp: "open",
    ...options,
  });
}

/** What a line of --json says. */
export function parsed(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? "") as Record<string, unknown>;
}
