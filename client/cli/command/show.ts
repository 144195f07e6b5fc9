// Formats entries of a log and their parts as lines that are safe for a terminal.

import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Entry } from "../../../gen/parley/chat/v1/entry.ts";
import type { HistoryItem } from "../../../gen/parley/chat/v1/history_service.ts";
import type { SendTarget } from "../../link/model/send-queue.ts";
import { contentOf } from "../../link/receiving/event-reader.ts";
import type { PrivateLine } from "../../state/private-lines.ts";
import { safeName } from "../terminal/text/safe-text.ts";
import { line, Styled } from "../terminal/text/style.ts";

/** Indents the lines of a text after the first, so that none of them looks like another message. */
const margin = "    ";

/** "2026-11-23 04:17:12", in the time zone of this machine. */
export function time(date: Date | undefined): string {
  if (date === undefined) return "----------- --------";
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

export function name(username: string): Styled {
  return Styled.of(safeName(username));
}

/** "2026-11-23 04:17:12 yoda: text". With the recipient it has "yoda → luke", for output from several conversations. */
export function entryLine(entry: Entry, withRecipient: boolean): Styled {
  const sender = name(entry.sender?.username ?? "?");
  const head = withRecipient ? line`${sender} → ${recipient(entry)}` : sender;
  return line`${time(entry.sendTime)} ${head}: ${text(entry, margin)}`;
}

/** The text of an entry. Lines after the first begin with `indent`. */
export function text(entry: Entry, indent = ""): Styled {
  const content = contentOf(entry.content);
  if (content.kind === "text") return Styled.multiline(content.text.replaceAll("\n", `\n${indent}`));
  return line`(content that needs a newer version of parley)`;
}

/** An item of one conversation's history: an entry, or a range without entries. */
export function historyLine({ item }: HistoryItem): Styled {
  switch (item?.$case) {
    case "entry":
      return entryLine(item.value, false);
    case "omitted":
      return omittedLine(item.value);
    case "gap":
      return goneLine(item.value);
    case undefined:
      return line`(content that needs a newer version of parley)`;
  }
}

/** A stored line of a private chat. @param me the name of the user who stored it */
export function privateLine({ username, mine, time: when, text: said }: PrivateLine, me: string): Styled {
  return line`${time(when)} ${name(mine ? me : username)}: ${Styled.multiline(said.replaceAll("\n", `\n${margin}`))}`;
}

interface Range {
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
}

export function omittedLine(range: Range): Styled {
  return line`(${numbers(range)} not visible to you)`;
}

export function goneLine(range: Range): Styled {
  return line`(${numbers(range)} no longer in the log)`;
}

export function targetName(target: SendTarget): Styled {
  switch (target.kind) {
    case "user":
      return name(target.username);
    case "conversation":
      return line`conversation ${target.conversationId}`;
    case "broadcast":
      return line`everyone`;
  }
}

function recipient(entry: Entry): Styled {
  if (entry.recipient !== undefined) return name(entry.recipient.username);
  return entry.kind === ConversationKind.BROADCAST ? line`everyone` : line`?`;
}

function numbers({ fromSeq, toSeq }: Range): string {
  return fromSeq === toSeq ? `message ${fromSeq} is` : `messages ${fromSeq} to ${toSeq} are`;
}
