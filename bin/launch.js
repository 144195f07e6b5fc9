// Starts a program of the package: on a Node that can run it, from the sources in a clone, else from what was compiled.
// Plain and old JavaScript, since any Node may be the one that reads this.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

/** Where crypto.argon2 and node:sqlite are both there, and TypeScript runs as it is. */
const LEAST_NODE = [24, 7];

/** @param {string} entry the program's module, without extension, from the package's folder: "server/main" */
export async function launch(entry) {
  if (isNewEnough()) {
    // Also keeps the sources as they are without types: a third of the time to start.
    module.enableCompileCache?.();
    const source = new URL(`../${entry}.ts`, import.meta.url);
    // Node runs no TypeScript below node_modules.
    const isClone = existsSync(source) && !source.pathname.includes("/node_modules/");
    await import(isClone ? source.href : new URL(`../dist/${entry}.js`, import.meta.url).href);
    return;
  }
  const pinned = ["node", "node.exe"]
    .map((name) => fileURLToPath(new URL(`../node_modules/node/bin/${name}`, import.meta.url)))
    .find((file) => existsSync(file));
  if (pinned !== undefined && process.env.PARLEY_RELAUNCHED !== "1") {
    runOn(pinned);
    return;
  }
  process.stderr.write(
    `Parley needs Node ${LEAST_NODE.join(".")} or newer; this is ${process.version}. ` +
      "In a clone, `npm ci` brings the right one; else see https://nodejs.org.\n",
  );
  process.exitCode = 1;
}

function isNewEnough() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Runs this command line on another Node, as if it were this process. */
function runOn(node) {
  const child = spawn(node, process.argv.slice(1), {
    stdio: "inherit",
    // Against a pinned Node that is itself too old.
    env: { ...process.env, PARLEY_RELAUNCHED: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) {
    process.on(signal, () => {
      // A terminal's Ctrl-C goes to both of us by itself.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`${node} did not start: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    // As a shell would say it.
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
