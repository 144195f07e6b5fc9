// Measures the CPU time (user and system) of one-shot commands, from the packed package and from the clone.
//
// It packs and installs the package into a temporary folder, and starts a server with TLS. The targets are for a machine
// that is otherwise idle.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "./usage.ts";

const { numbers } = readCommandLine({
  command: "npm run bench:start --",
  what: "Measures the CPU time of one-shot commands, from the packed package and from the clone.",
  flags: { runs: 10 },
});
const clone = fileURLToPath(new URL("../", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "parley-start-"));
const hook = join(folder, "cpu.cjs");
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  PARLEY_HOME: join(folder, "home"),
  // A compile cache that the caller's environment enables would hide what is measured.
  NODE_DISABLE_COMPILE_CACHE: "1",
};

/** The CPU time of one run, ms. */
function measure(program: string, argv: readonly string[]): number {
  const run = spawnSync(process.execPath, ["--require", hook, program, ...argv], {
    env,
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  if (run.status !== 0) throw new Error(`${argv.join(" ")} ended with exit code ${run.status}`);
  return Number(run.output[3]) / 1_000;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** Installs the package as npm publishes it. Resolves to the path of its `parley`. */
async function install(): Promise<string> {
  const npm = (cwd: string, ...argv: string[]): void =>
    void execFileSync("npm", ["--loglevel", "error", ...argv], {
      cwd,
      stdio: ["ignore", "ignore", "inherit"],
    });
  npm(clone, "pack", "--pack-destination", folder);
  const [tarball = ""] = (await readdir(folder)).filter((file) => file.endsWith(".tgz"));
  await writeFile(join(folder, "package.json"), "{}");
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`);
  return join(folder, "node_modules", "parley", "bin", "parley.js");
}

/** Starts a server with sample users. Resolves to its address. */
async function startServer(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const flags = ["--data", join(folder, "data"), "--listen", "127.0.0.1:0"];
  const child = spawn(
    process.execPath,
    [join(clone, "bin/parley-server.js"), ...flags, "--credentials", join(clone, "docs/credentials.txt")],
    { env, stdio: ["ignore", "pipe", "ignore"] },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /^ +address +(\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stdout.resume();
    return { child, address };
  }
  throw new Error("the server did not start");
}

function logIn(program: string, address: string, username: string, password: string): void {
  const argv = ["login", username, "--password-stdin", "--server", address];
  const run = spawnSync(process.execPath, [program, ...argv], { env, input: password, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
}

try {
  await writeFile(
    hook,
    `process.on("exit", () => { const { user, system } = process.cpuUsage(); require("node:fs").writeSync(3, String(user + system)); });`,
  );
  const programs = { package: await install(), clone: join(clone, "bin/parley.js") };
  const { child, address } = await startServer();
  const [line = ""] = (await readFile(join(clone, "docs/credentials.txt"), "utf8")).split("\n");
  const space = line.indexOf(" ");
  logIn(programs.clone, address, line.slice(0, space), line.slice(space + 1));
  for (const [from, command, target] of [
    ["package", "--version", 100],
    ["package", "whoami", 300],
    ["clone", "--version", 200],
    ["clone", "whoami", 500],
  ] as const) {
    const times = Array.from({ length: numbers.runs }, () => measure(programs[from], [command]));
    const name = `parley ${command} from the ${from}`.padEnd(34);
    console.log(`${name}${median(times).toFixed(0).padStart(5)} ms, target ${target} ms`);
  }
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
} finally {
  await rm(folder, { recursive: true, force: true });
}
