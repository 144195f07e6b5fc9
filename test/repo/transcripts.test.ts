// Checks that the golden transcripts are up to date, and that their JSON is canonical Protobuf-JSON.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesOf, transcripts } from "../transcripts/table.ts";
import { messageOf } from "../transcripts/transcript.ts";
import { root } from "./sources.ts";

const folder = join(root, "transcripts");

test("writing them again does not change transcripts/", () => {
  const files = new Map(transcripts.flatMap((one) => [...filesOf(one)]));
  expect(readdirSync(folder).toSorted()).toEqual(["README.md", ...files.keys()].toSorted());
  const stale = [...files].filter(([name, bytes]) => !readFileSync(join(folder, name)).equals(bytes));
  expect(stale.map(([name]) => name)).toEqual([]);
});

test.each(transcripts)("the JSON of $name is what buf makes of its bytes", (transcript) => {
  const message = messageOf(transcript);
  // Concatenated frames decode as one frame, so one call converts all of them.
  const bytes = Buffer.concat([...transcript.frames]);
  const args = ["convert", "proto", "--type", `parley.chat.v1.${message}`, "--from", "-#format=binpb"];
  const made: unknown = JSON.parse(
    execFileSync(join(root, "node_modules", ".bin", "buf"), args, { cwd: root, input: bytes }).toString(),
  );
  const list = message === "ConnectRequest" ? "commands" : "events";
  const lines = [...filesOf(transcript)].find(([name]) => name.endsWith(".jsonl"))?.[1].toString() ?? "";
  const parsed = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown[] | undefined>);
  expect({ [list]: parsed.flatMap((one) => one[list] ?? []) }).toEqual(made);
});
