// Renders display items as styled lines for a screen. A message cannot imitate any other line.

import { decodeContent } from "../../../link/receiving/event-reader.ts";
import { safeName, safeText } from "../../terminal/text/safe-text.ts";
import { shortened } from "../../terminal/text/shortened.ts";
import { colourOf, line, Styled, styled } from "../../terminal/text/style.ts";
import type { Count, DisplayItem, MessageItem } from "../model/display-item.ts";
import { nameOf, type Place, placeOfTarget } from "../model/place.ts";

/**
 * A line, and how many columns its later rows are indented, so that only a line's first row begins at the left margin.
 */
export interface ScreenLine {
  readonly text: Styled;
  readonly hang: number;
  /** The command that shows the whole line. Without it a tall line is not folded. */
  readonly foldedFor?: string;
}

/** "14:03 " */
const TIME_COLUMNS = 6;
/** The most names in one line; the others are counted. */
const MOST_NAMES = 8;
const RULE = "──";

/** Renders items in their order, and adds a line with the date where the day changes. */
export class MessageRenderer {
  #day: string;

  constructor(now: Date) {
    this.#day = dayOf(now);
  }

  linesOf(item: DisplayItem, now: Date): ScreenLine[] {
    const time = "time" in item ? item.time : undefined;
    const lines = screenLines(item, now);
    if (time === undefined || dayOf(time) === this.#day) return lines;
    this.#day = dayOf(time);
    return [system(`${RULE} ${this.#day} ${RULE}`), ...lines];
  }
}

/** The lines of one item. Times of the day of `now` are shown without the date. */
export function screenLines(item: DisplayItem, now: Date): ScreenLine[] {
  switch (item.kind) {
    case "message":
      return [{ text: messageLine(item), hang: TIME_COLUMNS, ...foldOf(item) }];
    case "greeting": {
      const others = item.online.length === 0 ? "no other users are online" : `online: ${names(item.online)}`;
      return [
        system(`Connected to ${safeText(item.address)} as ${safeName(item.me)}; ${others}.`),
        system("/open USER opens a conversation; /help lists the commands."),
      ];
    }
    case "notice":
      return [timed(item.time, `${safeText(item.text)}${quoted(item.quote)}`)];
    case "error":
      return [
        { text: line`${styled("Error:", { colour: "red", bold: true })} ${safeText(item.text)}`, hang: 2 },
      ];
    case "command":
      return [{ text: styled(`> ${safeText(item.text)}`, { dim: true }), hang: 4 }];
    case "heading":
      return [system(`${safeText(item.text)}:`)];
    case "answer":
      return item.lines.map((text) => ({ text: line`  ${safeText(text)}`, hang: 2 + (item.hang ?? 2) }));
    case "users":
      return usersLines(item);
    case "presence":
      return presenceLines(item);
    case "new-since":
      return [newSince(item, now)];
    case "unread-before":
      return [system(`Unread from before: ${counts(item.from)}. ${hintFor(item.from)}`)];
    case "not-shown":
      return [system(notShown(item))];
    case "missing":
      return [system(missing(item))];
    case "history-heading":
      return [
        system(`${RULE} earlier${item.place === undefined ? ", all read" : ` ${where(item.place)}`} ${RULE}`),
      ];
    case "unread-rule":
      return [{ text: styled(`${RULE}${RULE} unread ${"─".repeat(24)}`, { colour: "red" }), hang: 0 }];
    case "held-back":
      return heldLines(item);
  }
}

/** A user name in that user's colour. */
export function person(name: string): Styled {
  return styled(safeName(name), { bold: true, colour: colourOf(name) });
}

export function placeName(place: Place): Styled {
  const isPerson = place.kind === "user" || place.kind === "private";
  return isPerson ? person(place.username) : styled(nameOf(place), { italic: true });
}

/** The style of marks for private chats; nothing else uses it. */
export function privateMark(text: string): Styled {
  return styled(text, { colour: "magenta", bold: true });
}

function messageLine({ time, from, mine, place, content, here, waiting }: MessageItem): Styled {
  const head = styled(`${clock(time)} `, { dim: true });
  // The arrow names the peer for own messages, and "you" for messages to this user.
  const isToMe = !mine && (place.kind === "user" || place.kind === "private");
  const to = isToMe ? line` → you` : line` → ${placeName(place)}`;
  const mark = place.kind === "private" ? privateMark(" (private)") : "";
  const who = line`${person(from)}${here ? "" : to}${mark}: `;
  const text =
    content.kind === "text"
      ? Styled.multiline(content.text)
      : styled("(this version of parley cannot show this message)", { dim: true });
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

function notShown({ place, count, lines }: Extract<DisplayItem, { kind: "not-shown" }>): string {
  const what = count === 1 ? "1 older message" : `${count} older messages`;
  const command = historyCommand(place, lines);
  const hint = command === undefined ? "this version of parley cannot show it" : `to read: ${command}`;
  return `… ${what} ${where(place)} not shown; ${hint}`;
}

function missing({ place, count, why }: Extract<DisplayItem, { kind: "missing" }>): string {
  const what = count === 1 ? "1 message" : `${count} messages`;
  const reason = why === "gone" ? "no longer stored" : "not visible to you";
  return `… ${what} ${where(place)} ${reason}`;
}

function heldLines({ messages, asked }: Extract<DisplayItem, { kind: "held-back" }>): ScreenLine[] {
  if (messages.length === 0) return [{ text: line`  The outbox is empty.`, hang: 4 }];
  const count = messages.length === 1 ? "1 message was" : `${messages.length} messages were`;
  const head = `${count} not sent within an hour. Choose whether to send:`;
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
    { text: styled(head, { colour: "yellow" }), hang: 2 },
    ...rows,
    system('/outbox send ID sends a message, /outbox drop ID discards it; ID can be "all".'),
  ];
}

function usersLines({
  users,
  none = "No other users.",
}: Extract<DisplayItem, { kind: "users" }>): ScreenLine[] {
  if (users.length === 0) return [{ text: line`  ${none}`, hang: 4 }];
  return users.map(({ name, remark }) => ({
    text: line`  ${person(name)}${remark === "" ? "" : styled(`  ${remark}`, { dim: true })}`,
    hang: 4,
  }));
}

function hintFor(from: readonly Count[]): string {
  const [first] = from;
  if (first?.place.kind !== "user") return "";
  return `To read: press Alt-a or type /open ${safeName(first.place.username)}`;
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

function historyCommand(place: Exclude<Place, { kind: "unknown" }>, lines?: number): string;
function historyCommand(place: Place, lines?: number): string | undefined;
function historyCommand(place: Place, lines?: number): string | undefined {
  if (place.kind === "unknown") return undefined;
  const count = lines === undefined ? "" : ` ${lines}`;
  if (place.kind === "everyone") return `/history --broadcast${count}`;
  return `/history ${place.kind === "private" ? "--private " : ""}${safeName(place.username)}${count}`;
}

/** A text of the user, quoted after a sentence about it. */
export function quoted(words: string | undefined): string {
  return words === undefined ? "" : ` “${safeText(words, { multiline: true })}”`;
}

function system(text: string): ScreenLine {
  return { text: styled(text, { dim: true }), hang: 2 };
}

function timed(time: Date, text: string): ScreenLine {
  return { text: Styled.multiline(`${clock(time)} · ${text}`, { dim: true }), hang: TIME_COLUMNS + 2 };
}

/** HH:MM in the local time zone. */
export function clock(time: Date | undefined): string {
  if (time === undefined) return "--:--";
  return `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
}

function moment(time: Date, now: Date): string {
  return dayOf(time) === dayOf(now) ? clock(time) : `${dayOf(time)} ${clock(time)}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** "Sun 2026-03-01" in the local time zone; the same in every locale. */
export function dayOf(time: Date): string {
  const month = String(time.getMonth() + 1).padStart(2, "0");
  const date = String(time.getDate()).padStart(2, "0");
  return `${DAYS[time.getDay()] ?? ""} ${time.getFullYear()}-${month}-${date}`;
}
