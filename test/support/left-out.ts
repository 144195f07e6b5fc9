// Says at the end of `npm test` what it leaves to .ci/run, and what this machine lacks for that.
import { spawnSync } from "node:child_process";
import process from "node:process";

/** What a script of test/ci/ or test/acceptance/ needs beside Node. */
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
    "Left out here, and run by .ci/run: the scripts of test/ci/ and test/acceptance/ (example clients, terminals, namespaces).",
    ...missing.map(([tool, what]) => `This machine has no ${tool}: ${what} cannot be tested on it.`),
  ];
  process.stdout.write(`\n${lines.join("\n")}\n`);
}

function has(tool: string): boolean {
  return spawnSync(tool, ["--version"], { stdio: "ignore" }).error === undefined;
}
