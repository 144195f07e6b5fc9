// A fake process for commands under test: it records the output, and the test sends the signals.
import { EventEmitter, once } from "node:events";
import { PassThrough } from "node:stream";
import type { Io, SignalListeners } from "../../../server/commands/io.ts";

export interface FakeIo extends Io {
  readonly out: string;
  readonly err: string;
  /** The signal listeners of the running command; undefined before and after it serves. */
  readonly listeners: SignalListeners | undefined;
  /** Resolves once standard output matches. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
}

export function fakeIo(input: string | Buffer = "", { isTerminal = false } = {}): FakeIo {
  const stdin = new PassThrough();
  stdin.end(input);
  const changed = new EventEmitter();
  const state = { out: "", err: "", listeners: undefined as SignalListeners | undefined };
  return {
    // The commands under test use these only as streams.
    stdin: stdin as unknown as NodeJS.ReadStream,
    stderr: new PassThrough() as unknown as NodeJS.WriteStream,
    isInputTerminal: isTerminal,
    isErrorTerminal: isTerminal,
    print: (text) => {
      state.out += text;
      changed.emit("out");
    },
    complain: (text) => {
      state.err += text;
    },
    listen: (listeners) => {
      state.listeners = listeners;
      return {
        [Symbol.dispose]: () => {
          state.listeners = undefined;
        },
      };
    },
    get out() {
      return state.out;
    },
    get err() {
      return state.err;
    },
    get listeners() {
      return state.listeners;
    },
    printed: async (pattern) => {
      for (;;) {
        const match = state.out.match(pattern);
        if (match !== null) return match;
        await once(changed, "out");
      }
    },
  };
}
