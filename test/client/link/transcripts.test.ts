// The link converts each golden transcript to the outcome that every client must have.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { EventReader, welcomed } from "../../../client/link/receiving/event-reader.ts";
import { Positions } from "../../../client/link/receiving/positions.ts";
import { ConnectResponse } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Event } from "../../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { StrictReader } from "../../../rpc/wire/strict-reader.ts";
import { root } from "../../repo/sources.ts";
import { transcripts } from "../../transcripts/table.ts";
import type { Outcome } from "../../transcripts/transcript.ts";

/** The frames of a file: length-delimited messages, as every Protobuf library reads them. */
function readFrames(file: string): Buffer[] {
  const bytes = readFileSync(join(root, "transcripts", file));
  const reader = new BinaryReader(bytes);
  const frames: Buffer[] = [];
  while (reader.pos < bytes.length) frames.push(Buffer.from(reader.bytes()));
  return frames;
}

type Building = {
  -readonly [K in keyof Outcome]: Outcome[K] extends readonly (infer T)[] ? T[] : Outcome[K];
};

/** Reads frames with the parts of the link, and prints the same lines as the examples. */
function replay(frames: readonly Buffer[]): Outcome {
  const positions = new Positions([]);
  const reader = new EventReader(positions);
  const outcome: Building = { lines: [], cursors: {}, acks: [], refusals: [], gaps: [], omitted: [] };
  for (const frame of frames) {
    for (const event of ConnectResponse.decode(new StrictReader(frame)).events) take(event);
  }
  const cursors = positions.beginStream(1_000).map((one) => [one.conversationId, String(one.seq)]);
  return { ...outcome, cursors: Object.fromEntries(cursors) as Outcome["cursors"] };

  function take(raw: Event): void {
    const kind = raw.kind;
    switch (kind?.$case) {
      case "welcome":
        reader.welcome(welcomed(kind.value, raw));
        outcome.lines.push(`connected as ${kind.value.user?.username}`);
        return;
      case "ack": {
        const { clientMessageId, conversationId, seq, repeatedSend, withheld } = kind.value;
        reader.acked(kind.value);
        outcome.lines.push(`stored as number ${seq}`);
        const ids = { clientMessageId: String(clientMessageId), conversationId, seq: String(seq) };
        outcome.acks.push({ ...ids, repeatedSend, withheld });
        return;
      }
      case "refused": {
        const { clientMessageId, message } = kind.value;
        const reason =
          Object.entries(Reason).find(([, value]) => value === kind.value.reason)?.[0] ??
          String(kind.value.reason);
        outcome.lines.push(`refused: ${reason} (${message})`);
        outcome.refusals.push({ clientMessageId: String(clientMessageId), reason });
        return;
      }
      default:
        for (const { event } of reader.read(raw, false)) {
          if (event.type === "caught-up") outcome.lines.push("caught up");
          if (event.type === "entry" && event.kind !== "unknown") {
            const text =
              event.content.kind === "text"
                ? event.content.text
                : "(something that this program is too old for)";
            outcome.lines.push(`${event.sender.username}: ${text}`);
          }
          if (event.type !== "gap" && event.type !== "omitted") continue;
          const { conversationId } = event;
          const range = { conversationId, fromSeq: String(event.fromSeq), toSeq: String(event.toSeq) };
          if (event.type === "gap") outcome.gaps.push({ ...range, fillable: event.fillable });
          else outcome.omitted.push(range);
        }
    }
  }
}

test.each(transcripts.filter(({ outcome }) => outcome !== undefined))("$name", ({ name, outcome }) => {
  expect(replay(readFrames(`${name}.events.binpb`))).toEqual(outcome);
});
