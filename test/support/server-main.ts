// The entry of parley-server for tests that start it as a process, with cheap passwords.
import { run } from "../../server/run.ts";
import { CHEAP } from "./cheap-passwords.ts";

await run({ passwordCost: CHEAP });
