// Prints at the end of a test run which checks only .ci/run makes, and which of their tools this machine lacks.
import { spawnSync } from "node:child_process";
import process from "node:process";

/** The programs that the slow tests and the scripts need beside Node.js, and what needs them. */
const needs: Readonly<Record<string, string>> = {
  go: "the example client in Go",
  python3: "the example client in Python",
  cargo: "the example client in Rust",
  grpcurl: "the commands of docs/grpcurl.md",
  tmux: "people at terminals",
  ip: "network namespaces",
};

export function teardown(): void {
  const missing = Object.entries(needs).filter(([tool]) => !has(tool));
  const lines = [
    "Not run here, but by .ci/run: the slow tests (npm run test:slow) and the scripts of test/ci/ and test/acceptance/.",
    ...missing.map(([tool, use]) => `This machine has no ${tool}, which .ci/run needs for ${use}.`),
  ];
  process.stdout.write(`\n${lines.join("\n")}\n`);
}

function has(tool: string): boolean {
  return spawnSync(tool, ["--version"], { stdio: "ignore" }).error === undefined;
}
