// Runs a server in a process of its own and measures what it does while a load lasts.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export interface Load {
  readonly pairs: number;
  readonly inFlight: number;
  readonly seconds: number;
}

export interface Measured {
  readonly perSecond: number;
  /** Server CPU per item, microseconds, all its threads. */
  readonly serverMicros: number;
}

/** What a server process says: where it listens, and how much CPU it has used. */
export type ServerWord = { port: number } | { cpuMicros: number };

export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(file: URL, ...args: string[]): Promise<ServerProcess> {
    const child = fork(file, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const [word] = (await once(child, "message")) as [ServerWord];
    if (!("port" in word)) throw new Error("the server process did not say its port");
    return new ServerProcess(child, word.port);
  }

  async cpuMicros(): Promise<number> {
    this.#child.send("cpu");
    const [word] = (await once(this.#child, "message")) as [ServerWord];
    return "cpuMicros" in word ? word.cpuMicros : Number.NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.send("stop");
    await gone;
  }
}

/** In the server process: says the port, answers questions, and stops when asked. */
export function answerParent(port: number, stop: () => Promise<void>): void {
  const say = (word: ServerWord): void => void process.send?.(word);
  process.on("message", (question) => {
    if (question === "cpu") {
      const { user, system } = process.cpuUsage();
      say({ cpuMicros: user + system });
    } else {
      stop().then(
        () => process.disconnect(),
        (error: unknown) => {
          throw error;
        },
      );
    }
  });
  say({ port });
}

/** Lets the load warm up for a third of its time, then counts. */
export async function measure(server: ServerProcess, load: Load, count: () => number): Promise<Measured> {
  await sleep((load.seconds * 1000) / 3);
  const before = { items: count(), cpu: await server.cpuMicros(), time: performance.now() };
  await sleep(load.seconds * 1000);
  const items = count() - before.items;
  const seconds = (performance.now() - before.time) / 1000;
  return { perSecond: items / seconds, serverMicros: ((await server.cpuMicros()) - before.cpu) / items };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
