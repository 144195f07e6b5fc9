// The file of the log, which has a bound: a full file is renamed, and replaces the one that was renamed before.
import { renameSync, statSync } from "node:fs";

export interface LogFile extends Disposable {
  write(line: string): void;
  /** Opens the file again, after a rotation renamed it. */
  reopen(): void;
}

/** An open file, which writes each line before the call returns. */
interface LineStream {
  write(line: string): unknown;
  reopen(): void;
  end(): void;
}

const FULL_BYTES = 64 * 1024 * 1024;

/** Bounds an open file. It and the file that was renamed have at most twice `fullBytes` together. */
export function boundLogFile(file: string, stream: LineStream, fullBytes = FULL_BYTES): LogFile {
  let size = sizeOf(file);
  return {
    write(line) {
      stream.write(line);
      size += Buffer.byteLength(line);
      if (size < fullBytes) return;
      size = 0;
      try {
        renameSync(file, `${file}.1`);
        stream.reopen();
      } catch (error) {
        // The lines go on in the file that is open. The next attempt is made when as much again was written.
        const problem = error instanceof Error ? error.message : String(error);
        const msg = "no new log file was begun";
        stream.write(`${JSON.stringify({ level: "error", problem, msg })}\n`);
      }
    },
    reopen: () => {
      stream.reopen();
      size = sizeOf(file);
    },
    [Symbol.dispose]: () => stream.end(),
  };
}

/** The size of a file. A device or a pipe is never full. */
function sizeOf(file: string): number {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  return stat.isFile() ? stat.size : Number.NEGATIVE_INFINITY;
}
