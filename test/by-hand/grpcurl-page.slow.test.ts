// Runs every command of docs/grpcurl.md with grpcurl, in the page's order, and compares the output with the page. Skipped on
// a machine without grpcurl.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../repo/sources.ts";

function hasGrpcurl(): boolean {
  try {
    execFileSync("grpcurl", ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** One step of the page: commands, the lines typed into the last of them, and the expected output. */
interface Step {
  readonly commands: string;
  readonly typed: readonly string[];
  readonly printed: string;
}

/** Typed lines reach a command through this named pipe. */
const FIFO = "keyboard";
const PAGE_ADDRESS = "localhost:12000";

const page = await readFile(join(root, "docs", "grpcurl.md"), "utf8");

function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  for (const [, kind = "", body = ""] of text.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    const last = steps.at(-1);
    if (kind === "sh") steps.push({ commands: body, typed: [], printed: "" });
    else if (last === undefined) throw new Error("the page has output before its first command");
    else if (kind === "json") steps[steps.length - 1] = { ...last, typed: body.trim().split("\n") };
    else steps[steps.length - 1] = { ...last, printed: body };
  }
  return steps;
}

/** Replaces what differs from run to run: times, random ids, and on a stream the split of events into frames. */
function comparable(printed: string, address: string): string {
  return (
    printed
      .replaceAll(address, PAGE_ADDRESS)
      .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"TIME"')
      // The first users get ids in the order in which their passwords are hashed, which varies.
      .replaceAll(/"u\d+"/g, '"USER"')
      .replaceAll(/"[\da-f]{32}"/g, '"SERVER"')
      .replaceAll(/"\d{20}"/g, '"SERVER-SET-ID"')
      // Client and server both watch the deadline, and either may report it first.
      .replace("Message: Deadline exceeded", "Message: context deadline exceeded")
      // The server closes a connection that speaks no TLS. The client learns of it as the end of the input or as a reset,
      // which depends on how much of its own first bytes the server has read.
      .replace(/read tcp \S+: read: connection reset by peer$/m, "EOF")
      .replaceAll(/\n {2}\]\n}\n{\n {2}"events": \[\n/g, ",\n")
      .trim()
  );
}

/** The lines of the output that report an error. */
function errorLines(printed: string): string[] {
  return printed.split("\n").filter((line) => /error:|code:|reason|invoking/i.test(line));
}

/** Messages that a reader may have sent before the page: from another user, and to the user of the page. */
const BEFORE = [
  "grep '^hans ' credentials.txt | cut -d' ' -f2 > hans.txt",
  `npx parley login hans --server ${PAGE_ADDRESS} --password-stdin < hans.txt`,
  "npx parley send yoda 'see you at nine'",
  `npx parley login yoda --server ${PAGE_ADDRESS} --password-stdin < password.txt`,
  "npx parley send luke 'a note'",
];

describe.skipIf(!hasGrpcurl()).each([
  ["prints the page's output on a new server", false],
  ["prints the page's errors on a server with earlier messages", true],
])("docs/grpcurl.md %s", (_, isUsed) => {
  let folder: string;
  let server: ChildProcess;
  let shell: Shell;
  let address: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parley-grpcurl-"));
    const credentials = await readFile(join(root, "docs", "credentials.txt"), "utf8");
    const password = /^yoda (.*)$/m.exec(credentials)?.[1] ?? "";
    await writeFile(join(folder, "password.txt"), `${password}\n`);
    await writeFile(join(folder, "credentials.txt"), credentials);
    const env = { PATH: process.env.PATH ?? "", HOME: folder };
    server = spawn(
      process.execPath,
      [
        join(root, "bin", "parley-server.js"),
        "--credentials",
        join(root, "docs", "credentials.txt"),
        "--listen",
        "127.0.0.1:0",
      ],
      { env, stdio: ["ignore", "pipe", "ignore"] },
    );
    address = PAGE_ADDRESS.replace("12000", await portOf(server));
    shell = new Shell(folder, env);
    if (isUsed) await shell.run(BEFORE.join("\n").replaceAll(PAGE_ADDRESS, address), []);
  });

  afterAll(async () => {
    shell?.[Symbol.dispose]();
    server?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  test.each(stepsOf(page))("$commands", async ({ commands, typed, printed }) => {
    const here = commands.replaceAll(PAGE_ADDRESS, address);
    if (isUsed) {
      // A reader takes the id from the answer.
      const actual = await shell.run(here.replace("CONVERSATION=c2", "CONVERSATION=c3"), typed);
      expect(errorLines(actual)).toEqual(errorLines(comparable(printed, address)));
      return;
    }
    expect(comparable(await shell.run(here, typed), address)).toBe(comparable(printed, address));
  });
});

async function portOf(server: ChildProcess): Promise<string> {
  let output = "";
  for await (const chunk of server.stdout ?? []) {
    output += String(chunk);
    const port = /address +127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`the server did not start: ${output}`);
}

/** One shell for the whole page, so that variables of one step are set in the next. */
class Shell implements Disposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  #output = "";
  #onOutput: (() => void) | undefined;
  #steps = 0;

  constructor(folder: string, env: Record<string, string>) {
    this.#folder = folder;
    const path = [join(root, "node_modules", ".bin"), env.PATH].join(delimiter);
    this.#child = spawn("bash", ["--norc"], { cwd: folder, env: { ...env, PATH: path } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
        this.#onOutput?.();
      });
    }
    // Does what npx does in a clone, and never downloads a package.
    this.#write(`npx() { local program=$1; shift; node ${root}/bin/$program.js "$@"; }\n`);
    this.#write(`exec 2>&1; mkfifo ${FIFO}\n`);
  }

  /** Runs commands, types the lines into them, and returns the output. */
  async run(commands: string, typed: readonly string[]): Promise<string> {
    const end = `end of step ${++this.#steps}`;
    this.#output = "";
    const input = typed.length === 0 ? "/dev/null" : FIFO;
    this.#write(`{ ${commands.trimEnd()}\n} <${input}; echo; echo "${end}"\n`);
    if (typed.length > 0) await this.#type(typed);
    await this.#until(() => this.#output.includes(end));
    return (
      this.#output
        .slice(0, this.#output.indexOf(end))
        // The first log-in prints one more line, with the server's key.
        .replace(/^New server on this machine.*\n/m, "")
    );
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  /** Types the lines, each after the answer to the one before, then ends the input. */
  async #type(lines: readonly string[]): Promise<void> {
    await using keyboard = await open(join(this.#folder, FIFO), "w");
    for (const [index, line] of lines.entries()) {
      const before = this.#output.length;
      await keyboard.write(`${line}\n`);
      // The first line opens the stream; the next one waits until it has caught up.
      await this.#until(
        () => this.#output.length > before && (index > 0 || this.#output.includes("caughtUp")),
      );
    }
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
      });
    }
  }

  #write(text: string): void {
    this.#child.stdin?.write(text);
  }
}
