// Taking the terminal and giving it back: at the end, at signals, at a stop, and when it goes away.
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { EditorAction } from "../../../client/cli/terminal/editor/line-editor.ts";
import type { Screen } from "../../../client/cli/terminal/screen.ts";
import { VirtualTerminal } from "./virtual-terminal.ts";

const HOST_EVENTS = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGTSTP",
  "SIGCONT",
  "exit",
  "uncaughtExceptionMonitor",
];
const TAKEN = { bracketedPaste: true, focusEvents: true, wraparound: true, synchronized: false };
const GIVEN_BACK = { bracketedPaste: false, focusEvents: false, wraparound: true, synchronized: false };

async function busy(terminal: VirtualTerminal): Promise<Screen> {
  const screen = terminal.open();
  screen.status = ["connected"];
  screen.print("said");
  await terminal.type("half a li");
  await terminal.settled(screen);
  expect(terminal.modes).toEqual(TAKEN);
  expect(terminal.keyboard.rawModes).toEqual([true]);
  return screen;
}

async function expectGivenBack(terminal: VirtualTerminal): Promise<void> {
  await terminal.shell("");
  expect(terminal.modes).toEqual(GIVEN_BACK);
  expect(terminal.keyboard.rawModes.at(-1)).toBe(false);
  expect(terminal.seen).toEqual(["said"]);
  expect(terminal.cursor).toEqual({ row: 1, column: 0 });
  for (const event of HOST_EVENTS) expect(terminal.host.listenerCount(event), event).toBe(0);
  expect(terminal.keyboard.listenerCount("data")).toBe(0);
  expect(terminal.keyboard.isPaused()).toBe(true);
}

describe("giving the terminal back", () => {
  test("at the end restores the modes, keeps the printed lines and erases the line being edited", async () => {
    const terminal = new VirtualTerminal();
    const screen = await busy(terminal);
    screen[Symbol.dispose]();
    expect(await screen.closed).toEqual({ reason: "disposed" });
    await expectGivenBack(terminal);
  });

  test("shows what was printed in the last tick", async () => {
    const terminal = new VirtualTerminal();
    const screen = terminal.open();
    screen.print("good-bye");
    screen.close();
    screen.print("too late");
    await terminal.shell("");
    expect(terminal.seen).toEqual(["good-bye"]);
  });

  test.each(["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const)("at %s", async (signal) => {
    const terminal = new VirtualTerminal();
    const screen = await busy(terminal);
    terminal.host.emit(signal);
    expect(await screen.closed).toEqual({ reason: "signal", signal });
    await expectGivenBack(terminal);
  });

  test("happens at the end of the process, and before the stack trace of a crash", async () => {
    for (const event of ["exit", "uncaughtExceptionMonitor"]) {
      const terminal = new VirtualTerminal();
      const screen = await busy(terminal);
      const error = new Error("boom");
      terminal.host.emit(event, error);
      expect(await screen.closed).toEqual(
        event === "exit" ? { reason: "disposed" } : { reason: "failed", error },
      );
      await expectGivenBack(terminal);
    }
  });

  test("happens when a listener closes it in the middle of a chunk of keys", async () => {
    const terminal = new VirtualTerminal();
    const screen = terminal.open();
    const lines: string[] = [];
    screen.onSubmit((text) => {
      lines.push(text);
      screen.close();
    });
    await terminal.type("bye\rls\r");
    expect(await screen.closed).toEqual({ reason: "disposed" });
    expect(lines).toEqual(["bye"]);
  });

  test("happens when the input has ended", async () => {
    const terminal = new VirtualTerminal();
    const screen = await busy(terminal);
    terminal.keyboard.end();
    expect(await screen.closed).toEqual({ reason: "input-ended" });
    await expectGivenBack(terminal);
  });

  test("happens without an error when the output is gone", async () => {
    for (const code of ["EPIPE", "EIO"]) {
      const terminal = new VirtualTerminal();
      const screen = await busy(terminal);
      terminal.display.destroy(Object.assign(new Error("gone"), { code }));
      expect(await screen.closed).toEqual({ reason: "output-gone" });
      screen.print("to nobody");
      await screen.flushed();
      expect(terminal.keyboard.rawModes.at(-1)).toBe(false);
    }
  });

  test.each(["SIGHUP", "SIGTSTP"])(
    "happens when the terminal hung up and its modes cannot be set: %s",
    async (signal) => {
      const terminal = new VirtualTerminal();
      const screen = await busy(terminal);
      // As in Node.js: the mode is not set, and an event reports it.
      terminal.keyboard.setRawMode = () => {
        terminal.keyboard.emit("error", Object.assign(new Error("gone"), { code: "EIO" }));
        return terminal.keyboard;
      };
      terminal.host.emit(signal);
      expect(await screen.closed).toEqual(
        signal === "SIGHUP" ? { reason: "signal", signal } : { reason: "output-gone" },
      );
      expect(terminal.host.killed).toEqual([]);
      for (const event of HOST_EVENTS) expect(terminal.host.listenerCount(event), event).toBe(0);
    },
  );

  test("reports another failure, and does not throw it", async () => {
    const terminal = new VirtualTerminal();
    const screen = await busy(terminal);
    const error = Object.assign(new Error("broken"), { code: "ENOSPC" });
    terminal.display.emit("error", error);
    expect(await screen.closed).toEqual({ reason: "failed", error });
    await expectGivenBack(terminal);
  });
});

describe("a stop", () => {
  test("by Ctrl-Z gives the terminal back and stops the job; SIGCONT takes it again, with the line being edited", async () => {
    const terminal = new VirtualTerminal();
    using screen = await busy(terminal);
    await terminal.type("\x1a");
    await terminal.shell("");
    expect(terminal.host.killed).toEqual([[0, "SIGTSTP"]]);
    expect(terminal.host.listenerCount("SIGTSTP")).toBe(0);
    expect(terminal.modes).toEqual(GIVEN_BACK);
    expect(terminal.keyboard.rawModes.at(-1)).toBe(false);
    expect(terminal.seen).toEqual(["said"]);

    await terminal.shell("[1]+ Stopped\r\n$ fg\r\n");
    screen.print("said meanwhile");
    terminal.host.emit("SIGCONT");
    await terminal.settled(screen);
    expect(terminal.modes).toEqual(TAKEN);
    expect(terminal.keyboard.rawModes.slice(-2)).toEqual([false, true]);
    expect(terminal.seen).toEqual([
      "said",
      "[1]+ Stopped",
      "$ fg",
      "said meanwhile",
      "> half a li",
      "connected",
    ]);
    expect(terminal.host.listenerCount("SIGTSTP")).toBe(1);
  });

  test("from outside does the same", async () => {
    const terminal = new VirtualTerminal();
    using screen = await busy(terminal);
    terminal.host.emit("SIGTSTP");
    expect(terminal.host.killed).toEqual([[0, "SIGTSTP"]]);
    terminal.host.emit("SIGCONT");
    await terminal.settled(screen);
    expect(terminal.modes).toEqual(TAKEN);
  });

  test("that does not happen takes the terminal again after a moment", async () => {
    const terminal = new VirtualTerminal();
    using screen = await busy(terminal);
    const taken = new Promise((resolve) => terminal.host.once("newListener", resolve));
    await terminal.type("\x1a");
    expect(await taken).toBe("SIGTSTP");
    await terminal.settled(screen);
    expect(terminal.modes).toEqual(TAKEN);
    expect(terminal.seen).toEqual(["said", "> half a li", "connected"]);
  });

  test("by SIGSTOP, which cannot be handled, sets the modes again afterwards", async () => {
    const terminal = new VirtualTerminal();
    using screen = await busy(terminal);
    await terminal.type("\x1b\rne");
    await terminal.settled(screen);
    await terminal.shell("\x1b[B\r\n$ fg\r\n\x1b[?2004l\x1b[?1004l");
    terminal.host.emit("SIGCONT");
    await terminal.settled(screen);
    expect(terminal.modes).toEqual(TAKEN);
    expect(terminal.keyboard.rawModes).toEqual([true, false, true]);
    expect(terminal.seen).toEqual([
      "said",
      "> half a li",
      "  ne",
      "connected",
      "$ fg",
      "> half a li",
      "  ne",
      "connected",
    ]);
    expect(terminal.host.listenerCount("SIGTSTP")).toBe(1);
  });

  test("followed by the end writes nothing more", async () => {
    const terminal = new VirtualTerminal();
    const screen = await busy(terminal);
    await terminal.type("\x1a");
    terminal.display.written = "";
    terminal.host.emit("SIGHUP");
    expect(await screen.closed).toEqual({ reason: "signal", signal: "SIGHUP" });
    expect(terminal.display.written).toBe("");
  });
});

describe("keys", () => {
  test("typed before the screen opened go to the screen", async () => {
    const terminal = new VirtualTerminal();
    await terminal.type("typed ahead\rand mo");
    using screen = terminal.open();
    const lines: string[] = [];
    await terminal.settled(screen);
    await terminal.settled(screen);
    screen.onSubmit((text) => lines.push(text));
    await terminal.type("re\r");
    expect(lines).toEqual(["typed ahead", "and more"]);
  });

  test("before a listener is set are kept in order", async () => {
    const terminal = new VirtualTerminal();
    using screen = terminal.open();
    await terminal.type("\x1ba\x1b[15~one\r\x1b[O");
    const told: unknown[] = [];
    screen.onSubmit((text) => told.push(text));
    screen.onAction((action) => told.push(action));
    expect(told).toEqual([
      "one",
      { kind: "next-unread" },
      { kind: "key", name: "f5" },
      { kind: "focus", focused: false },
    ]);
  });

  test("include a single Escape after a while", async () => {
    const terminal = new VirtualTerminal();
    using screen = terminal.open();
    const action = new Promise<EditorAction>((resolve) => screen.onAction(resolve));
    await terminal.type("\x1b");
    expect(await action).toEqual({ kind: "key", name: "escape" });
  });

  test("of a paste in many chunks arrive as one text", async () => {
    const terminal = new VirtualTerminal(40, 10);
    using screen = terminal.open();
    const lines: string[] = [];
    screen.onSubmit((text) => lines.push(text));
    const text = "lorem ipsum 你好\n".repeat(2000);
    const bytes = Buffer.from(`\x1b[200~${text}\x1b[201~`);
    for (let at = 0; at < bytes.length; at += 1001) await terminal.type(bytes.subarray(at, at + 1001));
    expect(lines).toEqual([]);
    await terminal.type("\r");
    expect(lines).toEqual([text.trimEnd()]);
  });
});

describe("title and bell", () => {
  test("a title is made safe, and the previous one is restored at the end", async () => {
    const terminal = new VirtualTerminal();
    const titles: string[] = [];
    terminal.onTitle((title) => titles.push(title));
    const screen = terminal.open();
    screen.setTitle("(1) par\x07ley");
    await terminal.settled(screen);
    screen.setTitle("(2) parley");
    await terminal.settled(screen);
    screen.close();
    await terminal.shell("");
    expect(titles).toEqual(["(1) par␇ley", "(2) parley"]);
    expect(terminal.display.written.split("\x1b[22;2t")).toHaveLength(2);
    expect(terminal.display.written.endsWith("\x1b[23;2t")).toBe(true);
  });

  test("a terminal without a title gets none", async () => {
    const terminal = new VirtualTerminal(40, 10, { env: { TERM: "linux" } });
    const screen = terminal.open();
    screen.setTitle("parley");
    await terminal.settled(screen);
    screen.close();
    expect(terminal.display.written).not.toContain("\x1b]");
    expect(terminal.display.written).not.toContain("\x1b[23;2t");
  });

  test("several bells in one tick ring once", async () => {
    const terminal = new VirtualTerminal();
    let bells = 0;
    terminal.onBell(() => {
      bells += 1;
    });
    using screen = terminal.open();
    screen.bell();
    screen.bell();
    await terminal.settled(screen);
    expect(bells).toBe(1);
  });
});

test("a terminal that takes nothing keeps a bounded number of the newest lines, and reports the dropped ones", async () => {
  const terminal = new VirtualTerminal(40, 10);
  const release: (() => void)[] = [];
  const write = terminal.display._write.bind(terminal.display);
  terminal.display._write = (chunk, encoding, done) => {
    write(chunk, encoding, () => (release.length === 0 ? release.push(done) : done()));
  };
  using screen = terminal.open();
  screen.print(`first ${"x".repeat(100_000)}`);
  await setImmediate();
  for (let index = 0; index < 25_000; index += 1) screen.print(`line ${index}`);
  let flushed = false;
  const done = screen.flushed().then(() => {
    flushed = true;
  });
  await setImmediate();
  expect(flushed).toBe(false);
  while (release.length === 0) await setImmediate();
  release[0]?.();
  await done;
  await terminal.settled(screen);
  expect(terminal.transcript.at(1)).toBe("… 15000 lines are not shown: the terminal was too slow.");
  expect(terminal.transcript.at(2)).toBe("line 15000");
  expect(terminal.transcript.slice(-2)).toEqual(["line 24999", ">"]);
});
