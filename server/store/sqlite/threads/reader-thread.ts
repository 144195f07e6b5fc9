// The entry of the reader's thread. It imports nothing that only the writer needs.
import { workerData } from "node:worker_threads";
import type { PackedEntries } from "../operations/entries.ts";
import type { ReadAnswer, ReaderOptions } from "./messages.ts";
import { Reader } from "./reader.ts";
import { serve } from "./serve.ts";

const options = workerData as ReaderOptions;
let reader: Reader | undefined;

serve({
  open() {
    reader = new Reader(options.file);
    return undefined;
  },
  take(request, send) {
    if (request.type !== "read") throw new Error(`the reader received a request of type ${request.type}`);
    if (reader === undefined) throw new Error("the reader received a read before the database was opened");
    const answer = reader.read(request.call);
    send({ type: "read", id: request.id, answer }, buffersOf(answer));
  },
  close() {
    reader?.[Symbol.dispose]();
  },
});

/** The buffers of an answer, which are transferred instead of copied. */
function buffersOf(answer: ReadAnswer): ArrayBuffer[] {
  if (!answer.ok || !isPackedEntries(answer.value)) return [];
  return [answer.value.fields.buffer, answer.value.contents.buffer];
}

function isPackedEntries(value: unknown): value is PackedEntries {
  return (
    typeof value === "object" && value !== null && "fields" in value && value.fields instanceof Float64Array
  );
}
