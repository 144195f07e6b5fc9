// The chat of the picture: two users at terminals and a third one's script, with a real server that is killed in between.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { read, root } from "../repo/sources.ts";
import { type Capture, Terminals } from "./terminals.ts";

const COLUMNS = 84;
const ROWS = 24;
const server = join(root, "bin", "parley-server.js");
const client = join(root, "bin", "parley.js");

/** What the terminal of hans shows at the end, with the times and the port that every run shows. */
export async function recordChat(): Promise<Capture> {
  await using terminals = await Terminals.open(COLUMNS, ROWS);
  const folder = await mkdtemp(join(tmpdir(), "parley-pictures-"));
  let child: ChildProcess | undefined;
  try {
    const running = await serve(folder, 0);
    child = running.child;
    for (const user of ["hans", "yoda", "leia"]) await logIn(user, folder, running.port);
    for (const user of ["hans", "yoda"]) {
      await terminals.shell(user, environmentOf(user, folder));
      await terminals.enter(user, `npx parley --as ${user}`, "/help lists the commands");
    }
    await terminals.until("hans", "yoda came online");
    await terminals.enter("hans", "/open yoda", "yoda>");
    await terminals.enter("yoda", "/open hans", "hans>");

    await terminals.enter("hans", "Never tell me the odds. 你好", "hans: Never tell me the odds.");
    await terminals.until("yoda", "hans: Never tell me the odds.");
    await terminals.enter("yoda", "Do or do not. There is no try.", "yoda: Do or do not.");
    await terminals.until("hans", "yoda: Do or do not.");
    await parley("leia", folder, ["broadcast", "The base is moving at nine."]);
    await terminals.until("hans", "The base is moving");

    running.child.kill("SIGKILL");
    await once(running.child, "exit");
    await terminals.until("hans", "is lost");
    await terminals.enter("hans", "Typed while the server was down.", "Typed while the server was down.");
    ({ child } = await serve(folder, running.port));
    await terminals.until("yoda", "hans: Typed while the server was down.");
    await terminals.until("hans", "The waiting message");
    await terminals.enter("yoda", "And read, it was.", "yoda: And read, it was.");
    await terminals.until("hans", "yoda: And read, it was.");

    await terminals.enter("hans", "/startprivate yoda --relay", "yoda");
    await terminals.until("yoda", "/accept hans");
    await terminals.enter("yoda", "/accept hans", "Private chat with hans");
    await terminals.until("hans", "Private chat with yoda");
    await terminals.enter(
      "hans",
      "/private yoda The server cannot read this.",
      "The server cannot read this.",
    );
    await terminals.until("yoda", "The server cannot read this.");
    await terminals.type("yoda", "Judge me by my size, do you?");
    await terminals.until("hans", "yoda is typing");
    await terminals.type("hans", "See you at");
    await terminals.until("hans", "> See you at");
    const capture = await terminals.capture("hans");
    return { ...capture, ansi: stable(capture.ansi, running.port) };
  } finally {
    child?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

/** What differs from run to run is made equal, at the same width. */
function stable(ansi: string, port: number): string {
  return ansi.replaceAll(`:${port}`, ":12000").replaceAll(/(?<!\d)\d\d:\d\d(?!\d)/g, "21:04");
}

/** @param port 0 for any free one */
async function serve(folder: string, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(
    process.execPath,
    [
      server,
      ...["--listen", `127.0.0.1:${port}`, "--data", join(folder, "data")],
      ...["--credentials", join(root, "docs", "credentials.txt")],
    ],
    { env: environmentOf("server", folder), stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const found = /address +127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (found !== undefined) return { child, port: Number(found) };
  }
  throw new Error(`the server did not start:\n${output}${log}`);
}

async function logIn(user: string, folder: string, port: number): Promise<void> {
  const password = new RegExp(`^${user} (.*)$`, "m").exec(read("docs/credentials.txt"))?.[1] ?? "";
  await parley(
    user,
    folder,
    ["login", user, "--server", `127.0.0.1:${port}`, "--accept-new", "--password-stdin"],
    `${password}\n`,
  );
}

async function parley(user: string, folder: string, words: readonly string[], input = ""): Promise<void> {
  const running = promisify(execFile)(process.execPath, [client, ...words], {
    env: environmentOf(user, folder),
  });
  running.child.stdin?.end(input);
  await running;
}

/** A user's own home, and nothing of this machine's settings. */
function environmentOf(user: string, folder: string): Record<string, string> {
  return {
    PATH: [join(root, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
    HOME: folder,
    PARLEY_HOME: join(folder, user),
    TZ: "UTC",
    LANG: "C.UTF-8",
  };
}
