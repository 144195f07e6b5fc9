// Runs the shell commands of docs/protocol.md against a real server, and compares the results with the page.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPage, sectionOf } from "./markdown.ts";
import { root } from "./sources.ts";

const section = sectionOf(readPage("docs/protocol.md"), "## By hand");
const [setUp = "", send = "", follow = "", connect = "", decode = ""] = fences("sh");
const [frames = "", decoded = ""] = fences("json");

let folder = "";
let server: ChildProcess | undefined;
let port = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-by-hand-"));
  server = spawn(
    process.execPath,
    [
      join(root, "bin", "parley-server.js"),
      ...["--listen", "127.0.0.1:0", "--data", join(folder, "data")],
      ...["--credentials", join(root, "docs", "credentials.txt")],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const started = await outputUntil(server, /ready[\s\S]*\n/);
  port = /127\.0\.0\.1:(\d+)/.exec(started)?.[1] ?? "";
  expect(port).not.toBe("");
});

afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill();
    await once(server, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

test("a message that is sent twice with one id is stored once, as the page shows", async () => {
  const output = await outputOf(shell(`set -e\n${setUp}\n${send}`));
  const answers = output
    .trim()
    .split(/(?<=^\})\s+/m)
    .map((answer) => JSON.parse(answer) as unknown);
  const ack = {
    clientMessageId: "1",
    conversationId: expect.any(String),
    seq: "1",
    sendTime: expect.any(String),
  };
  expect(answers).toEqual([
    { ack },
    { ack: { ...ack, repeatedSend: true } },
    expect.objectContaining({
      items: [{ entry: expect.objectContaining({ content: { text: "hi" } }) }],
      headSeq: "1",
    }),
  ]);
});

test("the command that receives events prints Welcome and CaughtUp", async () => {
  const call = shell(`set -e\n${setUp}\n${follow}`);
  expect(await outputUntil(call, /"caughtUp"/)).toContain('"welcome"');
  process.kill(-(call.pid ?? 0), "SIGINT");
  await once(call, "exit");
});

test("commands on a stream are answered with acks", async () => {
  const call = shell(`set -e\n${setUp}\n${connect}`);
  call.stdin?.write(frames);
  expect(await outputUntil(call, /"clientMessageId": "2"/)).toContain('"ack"');
  call.stdin?.end();
  await once(call, "exit");
});

test("the details of a refusal decode as the page shows", async () => {
  expect((await outputOf(shell(decode))).trim()).toBe(decoded.trim());
});

function fences(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms");
  return [...section.matchAll(pattern)].map((match) => match[1] ?? "");
}

/** Runs the page's commands with the port and data of the test's server, and with the programs of this clone. */
function shell(script: string): ChildProcess {
  const here = script
    .replaceAll("npx parley-server cert", `node bin/parley-server.js cert --data '${join(folder, "data")}'`)
    .replaceAll("npx ", "")
    .replaceAll("server.pem", `'${join(folder, "server.pem")}'`)
    .replaceAll("localhost:12000", `localhost:${port}`);
  const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`;
  return spawn("sh", ["-c", here], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["pipe", "pipe", "ignore"],
    // A process group of its own, so that SIGINT reaches all processes of the command.
    detached: true,
  });
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, "close");
  return output;
}

/** Resolves with the output received so far, as soon as it matches. */
function outputUntil(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = "";
  const seen = Promise.withResolvers<string>();
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (pattern.test(output)) seen.resolve(output);
  });
  child.once("exit", () => seen.reject(new Error(`the command ended after this output: ${output}`)));
  return seen.promise;
}
