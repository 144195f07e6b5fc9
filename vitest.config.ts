import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/left-out.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // What is asked for again and again comes at once, but on a machine that has much else to do.
    expect: { poll: { timeout: 15_000 } },
    pool: "forks",
    fileParallelism: true,
    // One less, as vitest would have it, leaves half of a small machine idle: many tests wait.
    maxWorkers: "100%",
  },
});
