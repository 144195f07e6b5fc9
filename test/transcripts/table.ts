// All golden transcripts and their files, which `npm run transcripts` writes to transcripts/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { protoJson } from "../../client/cli/process/proto-json.ts";
import { root } from "../repo/sources.ts";
import { commandsTranscript } from "./commands.ts";
import { earlyAcks, resume } from "./resume.ts";
import { session } from "./session.ts";
import { textsTranscript } from "./texts.ts";
import { messageOf, type Transcript } from "./transcript.ts";
import { unknown } from "./unknown.ts";

export const transcripts: readonly Transcript[] = [
  session,
  resume,
  earlyAcks,
  textsTranscript,
  unknown,
  commandsTranscript,
];

/** The files of a transcript: their bytes, by name. */
export function filesOf(transcript: Transcript): Map<string, Buffer> {
  const { name, frames, outcome } = transcript;
  const message = messageOf(transcript);
  const base = `${name}.${message === "ConnectRequest" ? "commands" : "events"}`;
  const json = frames.map((frame) => `${protoJson(`parley.chat.v1.${message}`, frame)}\n`).join("");
  const files = new Map([
    [`${base}.binpb`, Buffer.concat(frames.flatMap((frame) => [varint(frame.length), frame]))],
    [`${base}.jsonl`, Buffer.from(json)],
  ]);
  if (outcome !== undefined) {
    files.set(`${name}.outcome.json`, Buffer.from(`${JSON.stringify(outcome, undefined, 2)}\n`));
  }
  return files;
}

/** The length before a delimited message of Protobuf. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.of(...bytes, rest);
}

if (import.meta.main) {
  const folder = join(root, "transcripts");
  mkdirSync(folder, { recursive: true });
  for (const transcript of transcripts) {
    for (const [file, bytes] of filesOf(transcript)) writeFileSync(join(folder, file), bytes);
  }
}
