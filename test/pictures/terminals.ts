// Terminals of a fixed size for real programs: windows of a tmux server that belongs to this process alone.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { delay } from "../../time/wait.ts";

const run = promisify(execFile);
const POLL_MS = 50;
const DEADLINE_MS = 30_000;

export interface Capture {
  /** The rows, with their SGR escape sequences. */
  readonly ansi: string;
  readonly columns: number;
  readonly rows: number;
  /** From 0. */
  readonly cursor: { readonly column: number; readonly row: number };
}

/** tmux is not installed. */
export class TerminalsMissing extends Error {
  override readonly name = "TerminalsMissing";
}

export class Terminals implements AsyncDisposable {
  readonly columns: number;
  readonly rows: number;
  readonly #socket = `parley-pictures-${process.pid}`;

  private constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** @throws TerminalsMissing if tmux is not installed */
  static async open(columns: number, rows: number): Promise<Terminals> {
    try {
      await run("tmux", ["-V"]);
    } catch {
      throw new TerminalsMissing(
        "npm run pictures needs tmux, which is not installed. Install it, for example: apt-get install tmux",
      );
    }
    return new Terminals(columns, rows);
  }

  /** Opens a window with a shell whose prompt is "$ ". */
  async shell(name: string, env: Readonly<Record<string, string>>): Promise<void> {
    const words = Object.entries({ ...env, PS1: "$ ", TERM: "xterm-256color" }).map(
      ([key, value]) => `${key}='${value}'`,
    );
    await this.#tmux(
      ...["new-session", "-d", "-s", name, "-x", String(this.columns), "-y", String(this.rows)],
      `env ${words.join(" ")} bash --norc --noprofile`,
    );
    await this.#tmux("set-option", "-t", name, "status", "off");
    await this.until(name, "$");
  }

  async type(name: string, text: string): Promise<void> {
    await this.#tmux("send-keys", "-t", name, "-l", "--", text);
  }

  /** Types a line and presses Enter, then waits until the window shows what is expected. */
  async enter(name: string, line: string, expected: string): Promise<void> {
    await this.type(name, line);
    await this.until(name, line);
    await this.#tmux("send-keys", "-t", name, "Enter");
    await this.until(name, expected);
  }

  /** @throws Error with what the window shows, if the text does not appear in time */
  async until(name: string, text: string): Promise<void> {
    for (let waited = 0; waited < DEADLINE_MS; waited += POLL_MS) {
      if ((await this.#tmux("capture-pane", "-p", "-J", "-t", name)).includes(text)) return;
      await delay(POLL_MS);
    }
    const { ansi } = await this.capture(name);
    throw new Error(`the terminal of ${name} does not show "${text}":\n${ansi}`);
  }

  async capture(name: string): Promise<Capture> {
    const ansi = await this.#tmux("capture-pane", "-e", "-p", "-N", "-t", name);
    const cursor = await this.#tmux("display-message", "-p", "-t", name, "#{cursor_x} #{cursor_y}");
    const [column = 0, row = 0] = cursor.split(" ").map(Number);
    return { ansi, columns: this.columns, rows: this.rows, cursor: { column, row } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => undefined);
  }

  async #tmux(...words: string[]): Promise<string> {
    const { stdout } = await run("tmux", ["-L", this.#socket, "-f", "/dev/null", ...words]);
    return stdout;
  }
}
