// Notes as styled lines for a screen: time, a colour per person, and no way for a text to look like anything else.

import { decodeContent } from "../../../link/receiving/event-reader.ts";
import { safeName, safeText } from "../../terminal/text/safe-text.ts";
import { colourOf, line, type Styled, styled } from "../../terminal/text/style.ts";
import { nameOf } from "../input/outgoing-messages.ts";
import type { Count, DisplayItem, MessageItem } from "../model/display-item.ts";
import { type Place, placeOfTarget } from "../model/place.ts";
import { shortened } from "../model/shortened.ts";

/** A line, and by how much its later rows are indented: below its time, so that none begins where lines begin. */
export interface ScreenLine {
  readonly text: Styled;
  readonly hang: number;
  /** The command that shows the whole line, where a tall one may be folded: without one it may not. */
  readonly foldedFor?: string;
}

/** "14:03 " */
const TIME_COLUMNS = 6;
/** Names in one line; the others are counted. */
const MOST_NAMES = 8;
const RULE = "──";

/** Lines as they stand one below the other: where the day changes, a line says which one it is now. */
export class Transcript {
  #day: string;

  constructor(now: Date) {
    this.#day = dayOf(now);
  }

  linesOf(note: DisplayItem, now: Date): ScreenLine[] {
    const time = "time" in note ? note.time : undefined;
    const lines = screenLines(note, now);
    if (time === undefined || dayOf(time) === this.#day) return lines;
    this.#day = dayOf(time);
    return [system(`${RULE} ${this.#day} ${RULE}`), ...lines];
  }
}

/** `now`: what is of today is told by its time alone. */
export function screenLines(note: DisplayItem, now: Date): ScreenLine[] {
  switch (note.kind) {
    case "message":
      return [{ text: messageLine(note), hang: TIME_COLUMNS, ...foldOf(note) }];
    case "greeting": {
      const others = note.online.length === 0 ? "nobody else is online" : `online: ${names(note.online)}`;
      return [
        system(`Connected to ${safeText(note.address)} as ${safeName(note.me)}; ${others}.`),
        system("/open USER starts a conversation; /help lists the commands."),
      ];
    }
    case "notice":
      return [timed(note.time, `${safeText(note.text)}${quoted(note.quote)}`)];
    case "error":
      return [
        { text: line`${styled("Error:", { colour: "red", bold: true })} ${safeText(note.text)}`, hang: 2 },
      ];
    case "answer":
      return note.lines.map((text) => ({ text: line`  ${safeText(text)}`, hang: 2 + (note.hang ?? 2) }));
    case "users":
      return usersLines(note);
    case "presence":
      return presenceLines(note);
    case "new-since":
      return [newSince(note, now)];
    case "unread-before":
      return [system(`Unread from before: ${counts(note.from)}. ${hintFor(note.from)}`)];
    case "not-shown":
      return [
        system(
          `… ${note.count} older ${where(note.place)} not shown: ${historyCommand(note.place, note.lines)}`,
        ),
      ];
    case "missing":
      return [system(missing(note))];
    case "history-heading":
      return [
        system(`${RULE} earlier${note.place === undefined ? ", all read" : ` ${where(note.place)}`} ${RULE}`),
      ];
    case "unread-rule":
      return [{ text: styled(`${RULE}${RULE} unread ${"─".repeat(24)}`, { colour: "red" }), hang: 0 }];
    case "held-back":
      return heldLines(note);
  }
}

/** A person's name in that person's colour. */
export function person(name: string): Styled {
  return styled(safeName(name), { bold: true, colour: colourOf(name) });
}

export function placeName(place: Place): Styled {
  const isPerson = place.kind === "user" || place.kind === "private";
  return isPerson ? person(place.username) : styled(nameOf(place), { italic: true });
}

/** What is private looks so, and nothing else does. */
export function privateMark(text: string): Styled {
  return styled(text, { colour: "magenta", bold: true });
}

function messageLine({ time, from, mine, place, content, here, waiting }: MessageItem): Styled {
  const head = styled(`${clock(time)} `, { dim: true });
  // "to whom" is the other user of what I wrote, and me for what others wrote to me.
  const isToMe = !mine && (place.kind === "user" || place.kind === "private");
  const to = isToMe ? line` → you` : line` → ${placeName(place)}`;
  const mark = place.kind === "private" ? privateMark(" (private)") : "";
  const who = line`${person(from)}${here ? "" : to}${mark}: `;
  const text =
    content.kind === "text"
      ? safeText(content.text, { multiline: true })
      : styled("(something that this program is too old to show)", { dim: true });
  return line`${head}${who}${text}${waiting ? styled("  (waiting)", { dim: true, italic: true }) : ""}`;
}

function foldOf({ place, whole, kept }: MessageItem): Pick<ScreenLine, "foldedFor"> {
  const isGone = place.kind === "unknown" || (place.kind === "private" && kept !== true);
  return whole === true || isGone ? {} : { foldedFor: historyCommand(place) };
}

function presenceLines({ came, went, time }: Extract<DisplayItem, { kind: "presence" }>): ScreenLine[] {
  const lines: ScreenLine[] = [];
  if (came.length > 0) lines.push(timed(time, `${names(came)} came online`));
  if (went.length > 0) lines.push(timed(time, `${names(went)} went offline`));
  return lines;
}

function newSince(
  { since, total, from }: Extract<DisplayItem, { kind: "new-since" }>,
  now: Date,
): ScreenLine {
  const when = since === undefined ? "" : ` since ${moment(since, now)}`;
  return { text: styled(`${total} new${when}: ${counts(from)}`, { bold: true }), hang: 2 };
}

function missing({ place, count, why }: Extract<DisplayItem, { kind: "missing" }>): string {
  const what = count === 1 ? "1 message" : `${count} messages`;
  const reason = why === "gone" ? "no longer kept" : "not for you to see";
  return `… ${what} ${where(place)}: ${reason}`;
}

function heldLines({ messages, asked }: Extract<DisplayItem, { kind: "held-back" }>): ScreenLine[] {
  if (messages.length === 0) return [{ text: line`  Nothing waits in the outbox.`, hang: 4 }];
  const count = messages.length === 1 ? "1 message was" : `${messages.length} messages were`;
  const decide = messages.length === 1 ? "it waits for your decision" : "they wait for your decision";
  const head = `${count} not sent for over an hour; ${decide}:`;
  const rows = messages
    .slice(0, asked ? messages.length : 5)
    .map(({ clientMessageId, target, content, queuedTime }) => {
      const decoded = decodeContent(content);
      const text = decoded.kind === "text" ? shortened(decoded.text) : "(unknown content)";
      const when = `${dayOf(queuedTime)} ${clock(queuedTime)}`;
      return {
        text: line`  ${String(clientMessageId)}: ${when} to ${nameOf(placeOfTarget(target))}: ${text}`,
        hang: 4,
      };
    });
  return [
    ...(asked ? [] : [{ text: styled(head, { colour: "yellow" }), hang: 2 }]),
    ...rows,
    system("/outbox send ID sends one, /outbox drop ID forgets it; all means all of them."),
  ];
}

function usersLines({ users, none = "Nobody else." }: Extract<DisplayItem, { kind: "users" }>): ScreenLine[] {
  if (users.length === 0) return [{ text: line`  ${none}`, hang: 4 }];
  return users.map(({ name, remark }) => ({
    text: line`  ${person(name)}${remark === "" ? "" : styled(`  ${remark}`, { dim: true })}`,
    hang: 4,
  }));
}

function hintFor(from: readonly Count[]): string {
  const [first] = from;
  return first?.place.kind === "user" ? `Alt-a, or /open ${safeName(first.place.username)}, shows them.` : "";
}

function counts(from: readonly Count[]): string {
  const shown = from
    .slice(0, MOST_NAMES)
    .map(({ place, count }) =>
      place.kind === "everyone" ? `${count} to everyone` : `${safeName(nameOf(place))} ${count}`,
    );
  return from.length > MOST_NAMES
    ? `${shown.join(", ")} and ${from.length - MOST_NAMES} others`
    : shown.join(", ");
}

export function names(all: readonly string[]): string {
  const safe = all.map(safeName);
  if (safe.length > MOST_NAMES) {
    return `${safe.slice(0, MOST_NAMES).join(", ")} and ${safe.length - MOST_NAMES} others`;
  }
  return safe.length < 2 ? safe.join("") : `${safe.slice(0, -1).join(", ")} and ${safe.at(-1) ?? ""}`;
}

function where(place: Place): string {
  if (place.kind === "everyone") return "to everyone";
  if (place.kind === "private") return `in private with ${safeName(place.username)}`;
  return place.kind === "user" ? `with ${safeName(place.username)}` : "in another conversation";
}

function historyCommand(place: Place, lines?: number): string {
  if (place.kind === "unknown") return "this program is too old for it";
  const count = lines === undefined ? "" : ` ${lines}`;
  if (place.kind === "everyone") return `/history --broadcast${count}`;
  return `/history ${place.kind === "private" ? "--private " : ""}${safeName(place.username)}${count}`;
}

/** What a person has typed, behind a sentence about it. */
export function quoted(words: string | undefined): string {
  return words === undefined ? "" : ` “${safeText(words, { multiline: true })}”`;
}

function system(text: string): ScreenLine {
  return { text: styled(text, { dim: true }), hang: 2 };
}

function timed(time: Date, text: string): ScreenLine {
  return { text: styled(`${clock(time)} · ${text}`, { dim: true }), hang: TIME_COLUMNS + 2 };
}

/** By the person's own clock and time zone. */
export function clock(time: Date | undefined): string {
  if (time === undefined) return "--:--";
  return `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
}

function moment(time: Date, now: Date): string {
  return dayOf(time) === dayOf(now) ? clock(time) : `${dayOf(time)} ${clock(time)}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Not by locale: a transcript reads the same everywhere. */
export function dayOf(time: Date): string {
  const month = String(time.getMonth() + 1).padStart(2, "0");
  const date = String(time.getDate()).padStart(2, "0");
  return `${DAYS[time.getDay()] ?? ""} ${time.getFullYear()}-${month}-${date}`;
}
