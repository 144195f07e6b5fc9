// Users who chat in private from shells: each has a state folder, and programs whose output is collected.
import type { TestServer } from "../../support/server.ts";
import { finished, Home, type Program, type Run } from "./parley.ts";

/** A program that runs until it is stopped. */
export class Running {
  readonly child: Program;
  readonly ended: Promise<Run>;
  /** The text on both outputs so far. */
  printed = "";
  #more = Promise.withResolvers<void>();

  constructor(child: Program) {
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

  /** Resolves when it has printed these words, on either output. @throws Error if it ends without them */
  async prints(words: string): Promise<void> {
    const ended = this.ended.then(({ stdout, stderr }) => {
      if (!`${stdout}${stderr}`.includes(words)) {
        throw new Error(`"${words}" was never printed:\n${stdout}\n${stderr}`);
      }
    });
    while (!this.printed.includes(words)) await Promise.race([this.#more.promise, ended]);
  }
}

export class Person implements AsyncDisposable {
  readonly home: Home;
  readonly #name: string;

  private constructor(home: Home, name: string) {
    this.home = home;
    this.#name = name;
  }

  /** A user who is logged in with a new state folder. */
  static async at(server: TestServer, name: string, ...flags: string[]): Promise<Person> {
    const home = await Home.make();
    await home.logIn(name, server, ...flags);
    return new Person(home, name);
  }

  /** Starts a command inside the test. */
  start(...argv: string[]): Running {
    return new Running(this.home.start(...argv));
  }

  /** Starts it as a process, which a signal can stop or kill. */
  startProcess(...argv: string[]): Running {
    return new Running(this.home.startProcess(...argv));
  }

  /** Runs `parley listen`; resolves when it can be asked for private chats. */
  async listen(...flags: string[]): Promise<Running> {
    const listening = this.start("listen", ...flags);
    await listening.prints(`Listening as ${this.#name}`);
    return listening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
  }
}
