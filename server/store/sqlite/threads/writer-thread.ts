// The entry point of the writer's thread. It loads nothing that only the reader needs.
import { workerData } from "node:worker_threads";
import type { WriterOptions } from "./messages.ts";
import { serve } from "./request-loop.ts";
import { writerRole } from "./writer.ts";

serve(writerRole(workerData as WriterOptions));
