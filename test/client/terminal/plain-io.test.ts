// Plain mode's input and output: no line is lost, lines are bounded, and a secret is not shown.
import { PassThrough, Readable, Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LINE_LIMIT, type LineRead, LineSplitter } from "../../../client/cli/terminal/input/line-splitter.ts";
import { PlainIO } from "../../../client/cli/terminal/plain-io.ts";
import { line, styled } from "../../../client/cli/terminal/text/style.ts";
import { Keyboard } from "./virtual-terminal.ts";

class Sink extends Writable {
  written = "";

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.written += Buffer.from(chunk).toString();
    done();
  }
}

function open(...chunks: (string | Uint8Array)[]): { io: PlainIO; sink: Sink } {
  const sink = new Sink();
  return {
    io: new PlainIO({
      input: Readable.from(
        chunks.map((chunk) => Buffer.from(chunk)),
        { objectMode: false },
      ),
      output: sink,
    }),
    sink,
  };
}

async function all(io: PlainIO): Promise<LineRead[]> {
  const reads: LineRead[] = [];
  for await (const read of io.lines()) reads.push(read);
  return reads;
}

function lines(...texts: string[]): LineRead[] {
  return texts.map((text) => ({ kind: "line", text }));
}

describe("reading", () => {
  test("lines end in LF or CRLF, the last one without; characters may be split", async () => {
    const { io } = open("one\ntwo\r", "\n\nd", Uint8Array.of(0xc3), Uint8Array.of(0xa9), "jà\r\nlast");
    expect(await all(io)).toEqual(lines("one", "two", "", "déjà", "last"));
    expect(await io.readLine()).toEqual({ kind: "end" });
  });

  test("the lines do not depend on how the bytes are split", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: "grapheme", maxLength: 10 }).map((text) => text.replace(/[\r\n]/g, "")),
          { maxLength: 8 },
        ),
        fc.array(fc.nat(100), { maxLength: 8 }),
        async (texts, cuts) => {
          const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
          const places = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
            bytes.length,
          ];
          const { io } = open(...places.slice(1).map((to, index) => bytes.subarray(places[index], to)));
          expect(await all(io)).toEqual(lines(...texts));
        },
      ),
    );
  });

  test("prompts and lines share one reader, so that piped input is not lost between them", async () => {
    const { io, sink } = open("yoda\nwise@!man\nhello\nbye\n");
    expect(await io.ask("Username: ")).toEqual({ kind: "line", text: "yoda" });
    expect(await io.askSecret("Password: ")).toEqual({ kind: "line", text: "wise@!man" });
    expect(await all(io)).toEqual(lines("hello", "bye"));
    expect(sink.written).toBe("Username: Password: ");
  });

  test("concurrent calls are answered in order", async () => {
    const { io } = open("1\n2\n3\n");
    expect(await Promise.all([io.readLine(), io.ask("? "), io.readLine(), io.readLine()])).toEqual([
      ...lines("1", "2", "3"),
      { kind: "end" },
    ]);
  });

  test("leaving a loop loses no line", async () => {
    const { io } = open("1\n2\n3\n");
    for await (const read of io.lines()) {
      expect(read).toEqual({ kind: "line", text: "1" });
      break;
    }
    expect(await all(io)).toEqual(lines("2", "3"));
  });

  test("a line that is too long or not UTF-8 is refused, and the next ones are read", async () => {
    const { io } = open(
      "x".repeat(LINE_LIMIT),
      "\n",
      "y".repeat(LINE_LIMIT),
      "y\nok\n",
      Uint8Array.of(0x61, 0xff, 0x0a),
      "fine\n",
      "z".repeat(LINE_LIMIT + 5),
    );
    expect(await all(io)).toEqual([
      { kind: "line", text: "x".repeat(LINE_LIMIT) },
      { kind: "refused", problem: "too-long" },
      { kind: "line", text: "ok" },
      { kind: "refused", problem: "not-utf8" },
      { kind: "line", text: "fine" },
      { kind: "refused", problem: "too-long" },
    ]);
  });

  test("the bytes of a line that is too long are not kept", () => {
    const splitter = new LineSplitter();
    for (let index = 0; index < 48; index += 1) {
      splitter.push(Buffer.alloc(64 * 1024, "x"));
      expect(splitter.next()).toBeUndefined();
    }
    expect(splitter.takeBytes().length).toBeLessThanOrEqual(LINE_LIMIT);
  });

  test("nothing is read without a request", async () => {
    const input = new PassThrough({ highWaterMark: 1024 });
    const io = new PlainIO({ input, output: new Sink() });
    const first = io.readLine();
    input.write("first\n");
    await first;
    let taken = 0;
    while (input.write(Buffer.alloc(512, "x\n"))) taken += 512;
    expect(taken).toBeLessThan(8 * 1024);
    expect(input.readableFlowing).not.toBe(true);
  });

  test("disposing ends a pending read", async () => {
    const io = new PlainIO({ input: new PassThrough(), output: new Sink() });
    const waiting = io.readLine();
    io[Symbol.dispose]();
    expect(await waiting).toEqual({ kind: "end" });
  });
});

describe("a secret on a terminal", () => {
  async function typed(...chunks: string[]) {
    const keyboard = new Keyboard();
    const sink = new Sink();
    const io = new PlainIO({ input: keyboard, output: sink });
    const secret = io.askSecret("Password: ");
    for (const chunk of chunks) {
      keyboard.write(chunk);
      await new Promise(setImmediate);
    }
    return { secret: await secret, io, sink, keyboard };
  }

  test("is read in raw mode without being shown, and the input after it is not lost", async () => {
    const { secret, io, sink, keyboard } = await typed("wise@", "!män\rhel", "lo\rbye\n");
    expect(secret).toEqual({ kind: "line", text: "wise@!män" });
    expect(keyboard.rawModes).toEqual([true, false]);
    expect(sink.written).toBe("Password: \n");
    expect([await io.readLine(), await io.readLine()]).toEqual(lines("hello", "bye"));
  });

  test("can be corrected, and Ctrl-U clears it", async () => {
    expect((await typed("wrong\x15wisé\x7fe!\x7f\r")).secret).toEqual({ kind: "line", text: "wise" });
  });

  test("Ctrl-C and Ctrl-D end it", async () => {
    const { secret, keyboard } = await typed("wi\x03");
    expect(secret).toEqual({ kind: "interrupted" });
    expect(keyboard.rawModes).toEqual([true, false]);
    expect((await typed("\x04")).secret).toEqual({ kind: "end" });
  });
});

describe("writing", () => {
  test("writes whole lines without escapes, and makes texts safe", async () => {
    const { io, sink } = open();
    await io.writeLine(line`${styled("yoda", { bold: true, colour: "red" })}: ${"a\x1b[2Jb"}`);
    await io.writeLine("\x07");
    expect(sink.written).toBe("yoda: a␛[2Jb\n␇\n");
  });

  test("waits for a slow reader", async () => {
    const release: (() => void)[] = [];
    const output = new Writable({
      highWaterMark: 8,
      write: (_chunk, _encoding, done) => void release.push(done),
    });
    const io = new PlainIO({ input: Readable.from([]), output });
    let written = false;
    const writing = io.writeLine("longer than eight").then(() => {
      written = true;
    });
    await new Promise(setImmediate);
    expect(written).toBe(false);
    release[0]?.();
    await writing;
  });

  test("ends without an error when the reader goes away", async () => {
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("gone"), { code: "EPIPE" })),
    });
    const io = new PlainIO({ input: Readable.from([]), output });
    await io.writeLine("one");
    expect(await io.outputGone).toBeUndefined();
    await io.writeLine("two");
  });

  test("reports another failure", async () => {
    const error = Object.assign(new Error("full"), { code: "ENOSPC" });
    const output = new Writable({ write: (_chunk, _encoding, done) => done(error) });
    const io = new PlainIO({ input: Readable.from([]), output });
    await io.writeLine("one");
    expect(await io.outputGone).toBe(error);
  });
});
