// A person at a terminal who uses one of the two programs: waits for output, and types.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Whether the system has the `script` of util-linux, which runs a command in a pseudo terminal. */
export const hasTerminal = spawnSync("script", ["-qfec", "true", "/dev/null"]).status === 0;

/** How long the program may take to show a question, ms. */
const LONGEST_MS = 15_000;

export class Person {
  /** The output since the last answer. */
  shown = "";
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<unknown[]>;

  constructor(program: "parley" | "parley-server", argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const file = fileURLToPath(new URL(`../../bin/${program}.js`, import.meta.url));
    const command = [process.execPath, file, ...argv].map((word) => `'${word}'`).join(" ");
    this.#child = spawn("script", ["-qfec", command, "/dev/null"], {
      env: { PATH: process.env.PATH, TERM: "xterm-256color", ...env },
    });
    this.#exit = once(this.#child, "exit");
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.shown += chunk;
    });
  }

  /** Waits until the question is shown, and types the keys. */
  async answers(question: string, keys: string): Promise<void> {
    const tooLate = AbortSignal.timeout(LONGEST_MS);
    while (!this.shown.includes(question)) await once(this.#child.stdout, "data", { signal: tooLate });
    this.shown = "";
    this.#child.stdin.write(keys);
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exit)[0];
  }
}
