// Runs `parley` with a state folder of its own, inside the test or as a process, against a real server with TLS.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { run } from "../../../client/cli/dispatch/run.ts";
import { environmentOf } from "../../../client/cli/process/environment.ts";
import { ownCertificate } from "../../../server/files/certificate.ts";
import { waitFor } from "../../../time/wait.ts";
import { passwordOf, TestServer, type TestServerOptions } from "../../support/server.ts";
import { FakeProcess, type Program } from "./fake-process.ts";
import { TerminalUser } from "./terminal-user.ts";

export type { Program } from "./fake-process.ts";

const entry = fileURLToPath(new URL("../../../bin/parley.js", import.meta.url));

/** How long a program may take to end when its home is disposed of, ms. */
const END_MS = 20_000;

// Programs inside the test show times in the time zone of the test, processes in that of their environment.
process.env.TZ = "UTC";

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
  /** The running programs, each with a function that ends it. */
  readonly #running = new Map<Program, () => Promise<void>>();

  private constructor(folder: string, variables: Record<string, string>) {
    this.folder = folder;
    this.#variables = variables;
  }

  static async make(variables: Record<string, string> = {}): Promise<Home> {
    return new Home(await mkdtemp(join(tmpdir(), "parley-home-")), variables);
  }

  /** Starts the program inside the test, with an open standard input. */
  start(...argv: string[]): Program {
    return this.#start(new FakeProcess(), argv);
  }

  /** Runs it to its end with standard output on a full disk. */
  runOnFullDisk(...argv: string[]): Promise<Run> {
    const program = this.#start(new FakeProcess({ full: true }), argv);
    program.stdin.end();
    return finished(program);
  }

  #start(program: FakeProcess, argv: string[]): Program {
    const environment = environmentOf(program.parts(this.#environment()));
    void run(argv, environment).then((code) => program.end(code));
    this.#add(program, async () => {
      for (const stream of [program.stdin, program.stdout, program.stderr]) stream.destroy();
      if (program.listensFor("SIGTERM")) program.kill("SIGTERM");
      const ended = await waitFor(program.exited, { ms: END_MS });
      if (ended.status !== "done") throw new Error(`parley ${argv.join(" ")} does not end.`);
    });
    return program;
  }

  /** Starts the program inside the test, in front of a user at a terminal. */
  startAtTerminal(...argv: string[]): TerminalUser {
    const user = new TerminalUser();
    void run(argv, environmentOf(user.parts(this.#environment()))).then((code) => user.end(code));
    return user;
  }

  /** Starts it as a process. This takes half a second of CPU time, so only tests of the process itself do it. */
  startProcess(...argv: string[]): Program & { readonly pid?: number | undefined } {
    const child = spawn(process.execPath, [entry, ...argv], { env: this.#environment() });
    const exited = once(child, "exit").then(([code]) => code as number | null);
    const program = Object.assign(child, { exited });
    this.#add(program, async () => {
      child.kill("SIGKILL");
      await exited;
    });
    return program;
  }

  /** Runs it to its end, with an empty standard input. */
  run(...argv: string[]): Promise<Run> {
    return this.pipe("", ...argv);
  }

  async pipe(input: string | Uint8Array, ...argv: string[]): Promise<Run> {
    const program = this.start(...argv);
    program.stdin.on("error", () => undefined);
    program.stdin.end(input);
    return finished(program);
  }

  /** Logs in, and expects success. */
  async logIn(username: string, server: TestServer, ...flags: string[]): Promise<void> {
    const place = ["--server", `127.0.0.1:${server.port}`, ...flags];
    const login = await this.pipe(passwordOf(username), "login", username, "--password-stdin", ...place);
    expect(login).toMatchObject({ code: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((end) => end()));
    await rm(this.folder, { recursive: true, force: true });
  }

  #environment(): Record<string, string | undefined> {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      PARLEY_HOME: this.folder,
      TZ: "UTC",
      ...this.#variables,
    };
  }

  #add(program: Program, end: () => Promise<void>): void {
    this.#running.set(program, end);
    void program.exited.then(() => this.#running.delete(program));
  }
}

/** The outputs and the exit code of a program that ends. */
export async function finished(program: Program): Promise<Run> {
  let stdout = "";
  let stderr = "";
  program.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  program.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const closed = [program.stdout, program.stderr]
    .filter((stream) => !stream.closed)
    .map((stream) => once(stream, "close"));
  const code = await program.exited;
  await Promise.all(closed);
  return { code, stdout, stderr, lines: stdout.split("\n").slice(0, -1) };
}

/** The lines of a running program, one by one. */
export class Lines {
  readonly #iterator: AsyncIterator<string>;

  constructor(program: Program) {
    this.#iterator = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    const { value, done } = await this.#iterator.next();
    if (done === true) throw new Error("it printed no more lines");
    return value;
  }
}

/** A certificate as the server makes it, with a new key each time. */
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

/** Parses a line of --json. */
export function parsed(line: string | undefined): Record<string, unknown> {
  return JSON.parse(line ?? "") as Record<string, unknown>;
}
