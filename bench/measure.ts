// Runs a server in a separate process, and measures its rate and CPU time under a load.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { delay } from "../time/wait.ts";

export interface Load {
  readonly pairs: number;
  readonly inFlight: number;
  readonly seconds: number;
}

export interface Measured {
  readonly perSecond: number;
  /** The CPU time of all threads of the server per item, microseconds. */
  readonly serverMicros: number;
}

/** A message from the server process: its port, or the CPU time that it has used. */
export type ServerMessage = { port: number } | { cpuMicros: number };

export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(file: URL, ...args: string[]): Promise<ServerProcess> {
    const child = fork(file, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const [message] = (await once(child, "message")) as [ServerMessage];
    if (!("port" in message)) throw new Error("the server process did not send its port");
    return new ServerProcess(child, message.port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async cpuMicros(): Promise<number> {
    this.#child.send("cpu");
    const [message] = (await once(this.#child, "message")) as [ServerMessage];
    return "cpuMicros" in message ? message.cpuMicros : Number.NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.send("stop");
    await gone;
  }
}

/** Called in the server process: sends the port to the parent, answers the parent's requests, and stops on request. */
export function answerParent(port: number, stop: () => Promise<void>): void {
  const send = (message: ServerMessage): void => void process.send?.(message);
  process.on("message", (request) => {
    if (request === "cpu") {
      const { user, system } = process.cpuUsage();
      send({ cpuMicros: user + system });
    } else {
      stop().then(
        () => process.disconnect(),
        (error: unknown) => {
          throw error;
        },
      );
    }
  });
  send({ port });
}

/** Lets the load warm up for a third of its time, and then measures. */
export async function measure(server: ServerProcess, load: Load, count: () => number): Promise<Measured> {
  await delay((load.seconds * 1000) / 3);
  const before = { items: count(), cpu: await server.cpuMicros(), time: performance.now() };
  await delay(load.seconds * 1000);
  const items = count() - before.items;
  const seconds = (performance.now() - before.time) / 1000;
  return { perSecond: items / seconds, serverMicros: ((await server.cpuMicros()) - before.cpu) / items };
}
