// The entry point of `parley-server`.
import { run } from "./run.ts";

await run();
