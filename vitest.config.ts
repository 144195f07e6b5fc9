import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/left-out.ts"],
    // What a test waits for comes at once, but on a machine that is slow or has much else to do: many start processes.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    pool: "forks",
    fileParallelism: true,
    // One less, as vitest would have it, leaves half of a small machine idle: many tests wait.
    maxWorkers: "100%",
  },
});
