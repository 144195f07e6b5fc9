// A person at a terminal, in front of one of the two programs: waits for what is shown, and types.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Whether there can be such a person here: util-linux's script gives its command a pseudo terminal; others do not. */
export const hasTerminal = spawnSync("script", ["-qfec", "true", "/dev/null"]).status === 0;

/** How long a question may take to come, ms. */
const LONGEST_MS = 15_000;

export class Person {
  /** What was shown since the last answer. */
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

  /** Waits for a question, and types. */
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
