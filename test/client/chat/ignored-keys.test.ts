// Keys typed for a chat that has just ended: they are ignored until the user has stopped typing.
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { IgnoredKeys } from "../../../client/cli/chat/lifecycle/ignored-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function begin() {
  const clock = new ManualClock();
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (on: boolean) => modes.push(on) });
  const keys = new IgnoredKeys(input, clock);
  keys.start();
  let isQuiet = false;
  void keys.untilQuiet().then(() => {
    isQuiet = true;
  });
  const type = async (text: string): Promise<void> => {
    input.write(text);
    await setImmediate();
  };
  const isDoneAfter = async (ms: number): Promise<boolean> => {
    clock.advance(ms);
    await setImmediate();
    return isQuiet;
  };
  return { keys, input, modes, type, isDoneAfter };
}

it("are read, and each one starts the second of quiet again", async () => {
  const { keys, input, modes, type, isDoneAfter } = begin();
  expect(await isDoneAfter(999)).toBe(false);
  await type("still typing\r");
  expect(await isDoneAfter(999)).toBe(false);
  expect(modes).toEqual([true]);
  expect(await isDoneAfter(1)).toBe(true);
  keys[Symbol.dispose]();
  expect(modes).toEqual([true, false]);
  expect(input.readableLength).toBe(0);
  // From here on the shell has the terminal.
  await type("ls\r");
  expect(String(input.read())).toBe("ls\r");
});

it("are ignored for ten seconds at most", async () => {
  const { type, isDoneAfter } = begin();
  for (let passed = 0; passed < 9_500; passed += 500) {
    await type("x");
    expect(await isDoneAfter(500)).toBe(false);
  }
  await type("x");
  expect(await isDoneAfter(500)).toBe(true);
});

it("Ctrl-C ends the wait", async () => {
  const { type, isDoneAfter } = begin();
  await type("a\x03");
  expect(await isDoneAfter(0)).toBe(true);
});
