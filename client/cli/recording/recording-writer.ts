// Writes a recording's file: items, each after its length.
import { constants, type FileHandle, open } from "node:fs/promises";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { fileProblem } from "../../../command-line/file-problem.ts";
import {
  Direction,
  type End,
  type Frame,
  type Header,
  Item,
} from "../../../gen/parley/record/v1/recording.ts";
import { format, RecordingError } from "./recording-error.ts";

/** Writes a new recording. Each item is written immediately, so a program that is killed leaves all items before it. */
export class RecordingWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #start = performance.now();
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws RecordingError if the file exists, or cannot be created */
  static async create(path: string, header: Omit<Header, "format">): Promise<RecordingWriter> {
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    let file: FileHandle;
    try {
      file = await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600);
    } catch (error) {
      throw cannotWrite(path, codeOf(error) === "EEXIST" ? "it exists already" : fileProblem(error), error);
    }
    const writer = new RecordingWriter(path, file);
    await writer.#write({ kind: { $case: "header", value: { ...header, format } } });
    return writer;
  }

  /** Resolves when this frame and all before it are written. */
  frame(direction: "up" | "down", message: Uint8Array): Promise<void> {
    const value: Frame = {
      direction: direction === "up" ? Direction.UP : Direction.DOWN,
      offset: this.#offset(),
      message: Buffer.from(message),
    };
    return this.#write({ kind: { $case: "frame", value } });
  }

  end(end: Omit<End, "offset">): Promise<void> {
    return this.#write({ kind: { $case: "end", value: { ...end, offset: this.#offset() } } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The caller of the write received its error.
    await this.#writing.catch(() => undefined);
    await this.#file.close();
  }

  #write(item: Item): Promise<void> {
    const bytes = new BinaryWriter().bytes(Item.encode(item).finish()).finish();
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#file.writeFile(bytes);
      } catch (error) {
        throw cannotWrite(this.#path, fileProblem(error), error);
      }
    });
    return this.#writing;
  }

  #offset(): { seconds: bigint; nanos: number } {
    const ms = performance.now() - this.#start;
    return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor((ms % 1000) * 1_000_000) };
  }
}

function cannotWrite(path: string, why: string, cause: unknown): RecordingError {
  return new RecordingError(`${path} cannot be written: ${why}.`, { cause });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
