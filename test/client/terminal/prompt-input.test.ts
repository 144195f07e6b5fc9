// Input that is lent to a prompt library: no key typed between the questions and the screen is lost.
import { createRequire } from "node:module";
import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { PromptInput } from "../../../client/cli/terminal/input/prompt-input.ts";
import { VirtualTerminal } from "./virtual-terminal.ts";

interface Question {
  type: string;
  name: string;
  message: string;
  stdin: PromptInput;
  stdout: Writable;
}
const { prompt } = createRequire(import.meta.url)("enquirer") as {
  prompt(question: Question): Promise<Record<string, string>>;
};

function ask(stdin: PromptInput, type: string, name: string): Promise<Record<string, string>> {
  const stdout = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), {
    columns: 80,
    rows: 24,
    isTTY: true,
  });
  return prompt({ type, name, message: name, stdin, stdout });
}

describe("enquirer, then the screen", () => {
  test("input in one chunk gives two answers, and the rest goes to the screen", async () => {
    const terminal = new VirtualTerminal();
    const lent = new PromptInput(terminal.keyboard);
    const asked = ask(lent, "input", "user");
    await terminal.type("yoda\rwise@!man\rhello\rhalf a li");
    expect(await asked).toEqual({ user: "yoda" });
    expect(await ask(lent, "password", "password")).toEqual({ password: "wise@!man" });
    lent.release();
    using screen = terminal.open();
    const lines: string[] = [];
    screen.onSubmit((text) => lines.push(text));
    await terminal.settled(screen);
    await terminal.settled(screen);
    expect(lines).toEqual(["hello"]);
    expect(terminal.seen).toEqual(["> half a li"]);
    expect(terminal.keyboard.rawModes.at(-1)).toBe(true);
  });

  test("input that arrives before the first question has paused the stream answers the next question", async () => {
    const terminal = new VirtualTerminal();
    using lent = new PromptInput(terminal.keyboard);
    const asked = ask(lent, "input", "user");
    await terminal.type("yo");
    terminal.keyboard.write("da\r");
    terminal.keyboard.write("wise");
    terminal.keyboard.write("@!man\r");
    expect(await asked).toEqual({ user: "yoda" });
    expect(await ask(lent, "password", "password")).toEqual({ password: "wise@!man" });
  });

  test("input after the last question appears on the screen", async () => {
    const terminal = new VirtualTerminal();
    const lent = new PromptInput(terminal.keyboard);
    const asked = ask(lent, "input", "user");
    await terminal.type("yoda\r");
    await asked;
    await terminal.type("ahead");
    lent.release();
    await terminal.type(" and on");
    using screen = terminal.open();
    await terminal.settled(screen);
    await terminal.settled(screen);
    expect(terminal.seen).toEqual(["> ahead and on"]);
  });
});

test("a question that continues after Enter also receives the input that follows", async () => {
  const terminal = new VirtualTerminal();
  using lent = new PromptInput(terminal.keyboard);
  const chunks: string[] = [];
  const second = new Promise<void>((resolve) => {
    lent.on("data", (chunk: Buffer) => {
      chunks.push(chunk.toString());
      if (chunks.length === 2) resolve();
    });
  });
  await terminal.type("refused\ragain\r");
  await second;
  expect(chunks).toEqual(["refused\r", "again\r"]);
});

test("raw mode is set on the real input", () => {
  const terminal = new VirtualTerminal();
  using lent = new PromptInput(terminal.keyboard);
  lent.setRawMode(true);
  expect(terminal.keyboard.rawModes).toEqual([true]);
});

test("the end of the input is passed on", async () => {
  const terminal = new VirtualTerminal();
  using lent = new PromptInput(terminal.keyboard);
  let text = "";
  lent.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise((resolve) => lent.on("end", resolve));
  terminal.keyboard.end("last");
  await ended;
  await setImmediate();
  expect(text).toBe("last");
});
