// Starts a program of the package on a Node that can run it: from the sources in a clone, else from the bundle in dist/.
// It is JavaScript that old versions of Node can read, so that they can report that they are too old.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The first version with crypto.argon2, which has node:sqlite and runs TypeScript as well. */
const LEAST_NODE = [24, 7];

/**
 * @param {string} source the program's module in a clone, from the package's folder: "server/main.ts"
 * @param {string} bundle the program's module in the published package: "dist/parley-server.js"
 */
export async function launch(source, bundle) {
  if (isNewEnough()) {
    const module = new URL(`../${source}`, import.meta.url);
    // Node runs no TypeScript below node_modules.
    const isClone = existsSync(module) && !module.pathname.includes("/node_modules/");
    await import(isClone ? module.href : new URL(`../${bundle}`, import.meta.url).href);
    return;
  }
  const pinned = ["node", "node.exe"]
    .map((name) => fileURLToPath(new URL(`../node_modules/node/bin/${name}`, import.meta.url)))
    .find((file) => existsSync(file));
  if (pinned !== undefined && process.env.PARLEY_RELAUNCHED !== "1") {
    await runOn(pinned);
    return;
  }
  process.stderr.write(
    `Parley needs Node ${LEAST_NODE.join(".")} or newer; this is ${process.version}. ` +
      "In a clone, `npm ci` installs the right one; otherwise see https://nodejs.org.\n",
  );
  process.exitCode = 1;
}

function isNewEnough() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Runs this command line on another Node, with the streams, signals and exit code of this process. */
async function runOn(node) {
  // Loaded here, because most starts do not need them.
  const [{ spawn }, { constants }] = await Promise.all([import("node:child_process"), import("node:os")]);
  // The child hides arguments that are secret. Those of this process cannot be told apart here, so all are hidden.
  const argv = process.argv.slice(1);
  process.title = argv[0].replace(/^.*[\\/]|\.js$/g, "");
  const child = spawn(node, argv, {
    stdio: "inherit",
    // A pinned Node that is too old as well does not start itself again.
    env: { ...process.env, PARLEY_RELAUNCHED: "1" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"]) {
    process.on(signal, () => {
      // The terminal sends Ctrl-C to both processes.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`${node} did not start: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    // The exit code that shells use for a process that a signal ended.
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
