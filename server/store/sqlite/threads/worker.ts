// What runs on the store's two threads: takes requests in order, answers each.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Call } from "../operations/operations.ts";
import type { Group } from "./group.ts";
import { buffersOf, type ReadAnswer, Reader } from "./reader.ts";
import { type DataState, type GroupAnswer, Writer, type WriterOptions } from "./writer.ts";

export type ThreadOptions = ({ role: "writer" } & WriterOptions) | { role: "reader"; file: string };

export type Request =
  | { type: "open" }
  | { type: "group"; group: Group }
  | { type: "read"; id: number; call: Call }
  | { type: "close" };

export type Answer =
  /** The state is the writer's to tell. */
  | { type: "opened"; state: DataState | undefined }
  /** The database cannot be served; the text is for the operator. */
  | { type: "refused"; message: string }
  | GroupAnswer
  | { type: "read"; id: number; answer: ReadAnswer }
  | { type: "external-change" }
  | { type: "closed" };

/** How often the writer looks for changes by other processes, in milliseconds. */
const pollInterval = 500;

function serveWrites(port: MessagePort, options: WriterOptions): void {
  const writer = new Writer(options);
  let polling: NodeJS.Timeout | undefined;
  const answer = (message: Answer, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  port.on("message", (request: Request) => {
    switch (request.type) {
      case "open":
        answerOpen(answer, () => writer.open());
        polling = setInterval(() => {
          if (writer.poll()) answer({ type: "external-change" });
        }, pollInterval);
        return;
      case "group": {
        const result = writer.commit(request.group);
        answer(result, result.type === "committed" ? [result.results.appends.buffer] : []);
        return;
      }
      case "close":
        clearInterval(polling);
        try {
          writer.close();
        } finally {
          answer({ type: "closed" });
          port.close();
        }
        return;
      case "read":
        throw new Error("the writer does not read");
    }
  });
}

function serveReads(port: MessagePort, file: string): void {
  let reader: Reader | undefined;
  const answer = (message: Answer, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  port.on("message", (request: Request) => {
    switch (request.type) {
      case "open":
        answerOpen(answer, () => {
          reader = new Reader(file);
          return undefined;
        });
        return;
      case "read": {
        if (reader === undefined) throw new Error("a read before the database was opened");
        const result = reader.read(request.call);
        answer({ type: "read", id: request.id, answer: result }, buffersOf(result));
        return;
      }
      case "close":
        reader?.[Symbol.dispose]();
        answer({ type: "closed" });
        port.close();
        return;
      case "group":
        throw new Error("the reader does not write");
    }
  });
}

function answerOpen(answer: (message: Answer) => void, open: () => DataState | undefined): void {
  try {
    answer({ type: "opened", state: open() });
  } catch (error) {
    answer({ type: "refused", message: error instanceof Error ? error.message : String(error) });
  }
}

if (parentPort === null) throw new Error("this file runs on the store's threads only");
const options = workerData as ThreadOptions;
if (options.role === "writer") serveWrites(parentPort, options);
else serveReads(parentPort, options.file);
