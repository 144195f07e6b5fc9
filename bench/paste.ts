// Measures how long the chat's editor takes for a paste that the terminal does not bracket, by its length.
import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Screen } from "../client/cli/terminal/screen.ts";
import { readCommandLine } from "./usage.ts";

readCommandLine({
  command: "npx node bench/paste.ts",
  what: "Measures how long the chat's editor takes for a paste that the terminal does not bracket, by its length.",
  flags: {},
});

/** The bytes that a terminal passes on at a time. */
const CHUNK = 1_024;

for (const kilobytes of [7.5, 15, 30, 60]) {
  const input = Object.assign(new PassThrough(), { setRawMode: () => undefined });
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = Object.assign(sink, { isTTY: true, columns: 80, rows: 24 });
  const host = Object.assign(new EventEmitter(), { kill: () => undefined });
  using screen = Screen.open({ input, output, env: { TERM: "xterm-256color" }, host });
  const text = "the quick brown fox ".repeat((kilobytes * 1_000) / 20);
  const start = performance.now();
  for (let at = 0; at < text.length; at += CHUNK) {
    input.write(text.slice(at, at + CHUNK));
    await setImmediate();
  }
  await screen.flushed();
  const ms = performance.now() - start;
  if (screen.text.length !== text.length) throw new Error("The paste is incomplete.");
  process.stdout.write(`${kilobytes} kB: ${ms.toFixed(0)} ms\n`);
}
