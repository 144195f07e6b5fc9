// Standard input line by line, as it comes; what is no line of text is named and passed over.
import { type LineRead, LineSplitter } from "../terminal/input/line-splitter.ts";

export type InputLine = Exclude<LineRead, { kind: "end" }>;

/** Leaving the loop lets go of the input. */
export async function* standardInput(input: NodeJS.ReadStream): AsyncGenerator<InputLine, void, void> {
  const splitter = new LineSplitter();
  for await (const chunk of input as AsyncIterable<Buffer>) {
    splitter.push(chunk);
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) {
      if (line.kind !== "end") yield line;
    }
  }
  const last = splitter.last();
  if (last.kind !== "end") yield last;
}
