// The entry point of the reader's thread. It loads nothing that only the writer needs.
import { workerData } from "node:worker_threads";
import type { ReaderOptions } from "./messages.ts";
import { readerRole } from "./reader.ts";
import { serve } from "./request-loop.ts";

serve(readerRole(workerData as ReaderOptions));
