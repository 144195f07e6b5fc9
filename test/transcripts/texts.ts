// The transcript "texts": texts of all kinds, which reach the reader unchanged.
import { caughtUp, direct, luke, text, welcome, withLuke, yoda } from "./people.ts";
import { frame, type Transcript } from "./transcript.ts";

const texts = [
  ` "quotes", \\ backslashes and  two spaces `,
  "a line\nand another\r\nwith\ta tab",
  "\u001b[2J\u001b]0;x\u0007 \u0001\u007f\u009b",
  "\u202Eabc\u202C \u2028 \u{1F468}\u200D\u{1F469}\u200D\u{1F467} e\u0301 \uFEFF",
  "你好, мир, שלום",
  " ",
  "x".repeat(2_000),
];

export const textsTranscript: Transcript = {
  name: "texts",
  frames: [
    frame(welcome()),
    frame(...texts.map((value, index) => direct(withLuke, BigInt(index + 1), luke, yoda, text(value)))),
    frame(caughtUp),
  ],
  outcome: {
    lines: ["connected as yoda", ...texts.map((value) => `luke: ${value}`), "caught up"],
    cursors: { [withLuke]: String(texts.length) },
    acks: [],
    refusals: [],
    gaps: [],
    omitted: [],
  },
};
