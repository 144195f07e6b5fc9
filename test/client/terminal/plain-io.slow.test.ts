// Plain mode's input and output in a process: nothing is lost over pipes, and the process ends when it should.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as textOf } from "node:stream/consumers";
import { expect, test } from "vitest";

const source = new URL("../../../client/cli/terminal/plain-io.ts", import.meta.url).href;

/** Runs a script that finds `io`, a PlainIO over the process's streams. */
function start(script: string) {
  const open = `
    const { PlainIO } = await import(${JSON.stringify(source)});
    const io = new PlainIO({ input: process.stdin, output: process.stdout });
  `;
  return spawn(process.execPath, ["--input-type=module", "-e", open + script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

test("an echo over pipes loses nothing, and the process ends with its input", async () => {
  const child = start("for await (const read of io.lines()) await io.writeLine(read.text);");
  const sent = Array.from({ length: 50_000 }, (_, index) => `line ${index} é`).join("\n");
  child.stdin.end(sent);
  expect(await textOf(child.stdout)).toBe(`${sent}\n`);
  if (child.exitCode === null) await once(child, "exit");
  expect(child.exitCode).toBe(0);
});

test("once disposed, the process ends while its input stays open", async () => {
  const child = start("await io.writeLine((await io.readLine()).text); io[Symbol.dispose]();");
  child.stdin.write("only\nmore\n");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  child.stdin.destroy();
});
