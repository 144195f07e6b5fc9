// `npm run test:long`: the long tests, and then the fast set twenty times in a row, five of them beside four busy loops.
// Prints how long each took. The exit code is 0 if all passed.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";

const REPEATS = 20;
const BUSY_REPEATS = 5;
const BUSY_LOOPS = 4;

const require = createRequire(import.meta.url);
const vitest = join(dirname(require.resolve("vitest/package.json")), "vitest.mjs");

let failed = 0;
let passed = 0;

async function run(name: string, ...argv: string[]): Promise<void> {
  const started = performance.now();
  const child = spawn(process.execPath, [vitest, "run", ...argv], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code === 0) passed++;
  else failed++;
  const seconds = Math.round((performance.now() - started) / 1_000);
  process.stdout.write(`== ${name}: ${code === 0 ? "passed" : "FAILED"} after ${seconds} s\n`);
}

function busyLoop(): ChildProcess {
  return spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
}

await run("long set", "--project", "long");
for (let repeat = 1; repeat <= REPEATS; repeat++) {
  const isBusy = repeat > REPEATS - BUSY_REPEATS;
  const loops = isBusy ? Array.from({ length: BUSY_LOOPS }, busyLoop) : [];
  try {
    const name = `fast set, ${repeat} of ${REPEATS}${isBusy ? `, beside ${BUSY_LOOPS} busy loops` : ""}`;
    await run(name, "--project", "fast", "--reporter=dot");
  } finally {
    for (const loop of loops) loop.kill("SIGKILL");
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
