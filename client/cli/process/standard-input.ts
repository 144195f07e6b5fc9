// Standard input line by line, as it arrives. A line that is too long or not UTF-8 is reported and skipped.
import { type LineRead, LineSplitter } from "../terminal/input/line-splitter.ts";

export type InputLine = Exclude<LineRead, { kind: "end" }>;

/** The lines of the input. Leaving the loop over them destroys the input. */
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
