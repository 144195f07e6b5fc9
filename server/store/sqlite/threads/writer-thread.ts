// The entry of the writer's thread. It imports nothing that only the reader needs.
import { workerData } from "node:worker_threads";
import type { WriterOptions } from "./messages.ts";
import { serve } from "./serve.ts";
import { Writer } from "./writer.ts";

/** How often the writer looks for changes by other processes, in milliseconds. */
const pollInterval = 500;

const writer = new Writer(workerData as WriterOptions);
let polling: NodeJS.Timeout | undefined;

serve({
  open(send) {
    const state = writer.open();
    polling = setInterval(() => {
      if (writer.poll()) send({ type: "external-change" });
    }, pollInterval);
    return state;
  },
  take(request, send) {
    if (request.type !== "group") throw new Error(`the writer received a request of type ${request.type}`);
    const answer = writer.commit(request.group);
    send(answer, answer.type === "committed" ? [answer.results.appends.buffer] : []);
  },
  close() {
    clearInterval(polling);
    writer.close();
  },
});
