import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Node.js keeps compiled sources here, for the test processes, their threads and the processes that tests start.
process.env.NODE_COMPILE_CACHE = fileURLToPath(new URL("node_modules/.cache/node-compile", import.meta.url));

/** Where a sync costs nothing: the fast tests check what is stored, not how a disk works. The slow ones use the disk. */
const MEMORY = "/dev/shm";
const fastEnv = {
  PARLEY_TEST_STORE: "in-process",
  ...(existsSync(MEMORY) ? { TMPDIR: MEMORY } : {}),
};

const SLOW = "test/**/*.slow.test.ts";
const LONG = "test/**/*.long.test.ts";

const shared = {
  pool: "forks" as const,
  // An answer usually arrives within milliseconds; the limits allow for a machine that is busy with other work.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 30_000 } },
  // Node.js imports the sources by itself, as it does for the product, and can cache what it has compiled.
  experimental: { viteModuleRunner: false },
};

export default defineConfig({
  test: {
    globalSetup: ["test/support/left-out.ts"],
    // The default of one less leaves half of a small machine idle: many tests wait.
    maxWorkers: "100%",
    projects: [
      {
        // `npm test`: no processes, no kills, no real time. All files of a worker share one process and its modules.
        test: {
          ...shared,
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [SLOW, LONG],
          isolate: false,
          env: fastEnv,
        },
      },
      {
        // Also `npm run test:slow`: the fast tests of a server's behaviour, with the store's worker threads and the disk.
        test: {
          ...shared,
          name: "threads",
          include: ["test/{scenarios,promises,private}/**/*.test.ts", "test/server/services/*.test.ts"],
          exclude: [SLOW, LONG],
          isolate: false,
        },
      },
      {
        // Also `npm run test:slow`: the promises, kept by two nodes with a bus that loses, doubles and delays messages.
        test: {
          ...shared,
          name: "two-nodes",
          include: ["test/promises/**/*.test.ts"],
          // Private chats are in the memory of one node.
          exclude: [SLOW, LONG, "test/promises/08-*"],
          isolate: false,
          env: { ...fastEnv, PARLEY_TEST_NODES: "unreliable-pair" },
        },
      },
      // `npm run test:slow`: processes, kills, silent networks, memory, packages, other languages.
      { test: { ...shared, name: "slow", include: [SLOW], maxConcurrency: 12 } },
      // `npm run test:long`: hundreds of kills, millions of messages; see CONTRIBUTING.md.
      {
        test: { ...shared, name: "long", include: [LONG], testTimeout: 3_600_000, fileParallelism: false },
      },
    ],
  },
});
