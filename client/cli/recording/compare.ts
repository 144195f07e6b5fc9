// Finds the differences between a recorded stream and its replay.
import type { Difference, End } from "../../../gen/parley/record/v1/recording.ts";
import type { Transcript } from "./transcript.ts";

/** Whether the server ended the stream. Without a reason, a lost connection or the recording program did. */
export function isAnswer(end: End | undefined): end is End {
  return end !== undefined && (end.code === 0 || end.reason !== "");
}

export function differences(
  recorded: { readonly transcript: Transcript; readonly end: End | undefined },
  replayed: { readonly transcript: Transcript; readonly end: End | undefined },
): Difference[] {
  const [then, now] = [recorded.transcript.subjects(), replayed.transcript.subjects()];
  const found: Difference[] = [];
  for (const subject of new Set([...then.keys(), ...now.keys()])) {
    const [before, after] = [then.get(subject) ?? [], now.get(subject) ?? []];
    for (let at = 0; at < Math.max(before.length, after.length); at++) {
      if (before[at] === after[at]) continue;
      // A recording that was cut off may lack events.
      if (before[at] === undefined && !isAnswer(recorded.end)) continue;
      found.push({ subject, recorded: before[at] ?? "", replayed: after[at] ?? "" });
    }
  }
  if (isAnswer(recorded.end)) {
    const [before, after] = [endJson(recorded.end), endJson(replayed.end)];
    if (before !== after) found.push({ subject: "the ending", recorded: before, replayed: after });
  }
  return found;
}

function endJson(end: End | undefined): string {
  return end === undefined ? "" : JSON.stringify({ code: end.code, reason: end.reason });
}
