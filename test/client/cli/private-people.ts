// People who talk in private from shells: each with a machine, and with what their programs have printed so far.
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { TestServer } from "../../support/server.ts";
import { finished, Home, type Run } from "./parley.ts";

/** A program that runs on. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Run>;
  /** On both outputs, so far. */
  printed = "";
  #more = Promise.withResolvers<void>();

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdin.on("error", () => undefined);
    this.ended = finished(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: string) => {
        this.printed += chunk;
        this.#more.resolve();
        this.#more = Promise.withResolvers();
      });
    }
  }

  say(...lines: string[]): void {
    for (const line of lines) this.child.stdin.write(`${line}\n`);
  }

  /** Resolves when it has printed that, on either output. */
  async prints(words: string): Promise<void> {
    const over = this.ended.then(({ stdout, stderr }) => {
      if (!`${stdout}${stderr}`.includes(words)) {
        throw new Error(`"${words}" was never printed:\n${stdout}\n${stderr}`);
      }
    });
    while (!this.printed.includes(words)) await Promise.race([this.#more.promise, over]);
  }
}

export class Person implements AsyncDisposable {
  readonly home: Home;
  readonly #name: string;

  private constructor(home: Home, name: string) {
    this.home = home;
    this.#name = name;
  }

  /** Somebody with a new machine, who is logged in there. */
  static async at(server: TestServer, name: string, ...flags: string[]): Promise<Person> {
    const home = await Home.make();
    await home.logIn(name, server, ...flags);
    return new Person(home, name);
  }

  /** Starts a command. */
  start(...argv: string[]): Running {
    return new Running(this.home.start(...argv));
  }

  /** Listens, and lets in whom the flags say. */
  async listen(...flags: string[]): Promise<Running> {
    const listening = this.start("listen", ...flags);
    await listening.prints(`Listening as ${this.#name}`);
    return listening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
  }
}
