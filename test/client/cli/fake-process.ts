// Stands in for the process of a program that runs inside the test: its streams are pipes, and the test sends the signals.
import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import type { ProcessParts } from "../../../client/cli/process/environment.ts";

/** A running program, inside the test or as a process. */
export interface Program {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** null until the program has ended, and if a signal ended it. */
  readonly exitCode: number | null;
  /** The exit code; null if a signal ended the program. Both outputs may still have unread data. */
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

/** The capacity of a pipe on Linux, bytes. */
const PIPE_BYTES = 65_536;

export class FakeProcess implements Program {
  readonly #stdin = new Pipe();
  readonly #stdout: Pipe;
  readonly #stderr = new Pipe();
  readonly #host = new EventEmitter();
  readonly #exit = Promise.withResolvers<number>();
  readonly exited = this.#exit.promise;
  readonly stdin = this.#stdin.writable;
  readonly stdout: Readable;
  readonly stderr = this.#stderr.readable;
  exitCode: number | null = null;

  /** @param full standard output is a file on a full disk */
  constructor({ full = false } = {}) {
    this.#stdout = new Pipe(full ? noSpace() : undefined);
    this.stdout = this.#stdout.readable;
  }

  /** The process as the program sees it. */
  parts(variables: ProcessParts["variables"]): ProcessParts {
    return {
      variables,
      // None of them is a terminal, so the program uses only the members of plain streams.
      stdin: this.#stdin.readable as unknown as NodeJS.ReadStream,
      stdout: this.#stdout.writable as unknown as NodeJS.WriteStream,
      stderr: this.#stderr.writable as unknown as NodeJS.WriteStream,
      host: Object.assign(this.#host, {
        kill: (): never => {
          throw new Error("A program without a terminal does not suspend its process group.");
        },
      }),
    };
  }

  /** Whether the program handles the signal. */
  listensFor(signal: NodeJS.Signals): boolean {
    return this.#host.listenerCount(signal) > 0;
  }

  /** @throws Error if the program does not handle the signal: only a process can be ended from outside */
  kill(signal: NodeJS.Signals): void {
    if (this.exitCode !== null) return;
    if (!this.#host.emit(signal, signal))
      throw new Error(`The program does not listen for ${signal}: start a process to test this.`);
  }

  /** Closes the program's ends of the pipes, as the end of a process does. */
  end(code: number): void {
    this.exitCode = code;
    this.#stdin.readable.destroy();
    this.#stdout.writable.end();
    this.#stderr.writable.end();
    this.#exit.resolve(code);
  }
}

/** A pipe with back-pressure. Writing fails with EPIPE after the reader has closed it. */
class Pipe {
  readonly readable: Readable;
  readonly writable: Writable;
  #resume: (() => void) | undefined;

  /** @param problem the error of every write */
  constructor(problem?: Error) {
    this.readable = new Readable({
      highWaterMark: PIPE_BYTES,
      read: () => this.#flow(),
      destroy: (error, done) => {
        done(error);
        this.#flow();
      },
    });
    this.writable = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (problem !== undefined) return done(problem);
        if (this.readable.destroyed) return done(brokenPipe());
        if (this.readable.push(chunk)) return done();
        this.#resume = () => done(this.readable.destroyed ? brokenPipe() : null);
      },
      final: (done) => {
        this.readable.push(null);
        done();
      },
      destroy: (error, done) => {
        if (!this.readable.destroyed && !this.readable.readableEnded) this.readable.push(null);
        done(error);
      },
    });
  }

  #flow(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
}

function noSpace(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}
