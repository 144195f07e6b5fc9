// Notes as whole lines for pipes, scripts and dumb terminals: no escapes, no time stamps, one line for each thing.

import { decodeContent } from "../../../link/receiving/event-reader.ts";
import { safeName, safeText } from "../../terminal/text/safe-text.ts";
import { nameOf } from "../input/outgoing-messages.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { placeOfTarget } from "../model/place.ts";
import { shortened } from "../model/shortened.ts";
import { quoted, screenLines } from "../screen/render.ts";

/** A later line of a message begins so; no other line begins with a space. */
const CONTINUATION = "  ";

/** The lines of a note; none for what the person typed and can see already. */
export function plainLines(note: DisplayItem, now: Date): string[] {
  switch (note.kind) {
    case "message": {
      if (note.echo) return [];
      const { content, from, place } = note;
      const text =
        content.kind === "text"
          ? safeText(content.text, { multiline: true }).replaceAll("\n", `\n${CONTINUATION}`)
          : "(something that this program is too old to show)";
      const mark = place.kind === "private" ? " (private)" : "";
      return [`${safeName(from)}${mark}: ${text}`];
    }
    case "greeting":
      return [`Logged in as ${safeName(note.me)}.`];
    case "notice":
      return [`${safeText(note.text)}${quoted(note.quote).replaceAll("\n", `\n${CONTINUATION}`)}`];
    case "error":
      return [`Error: ${safeText(note.text)}`];
    case "answer":
      return note.lines.map((line) => safeText(line));
    case "users":
      return note.users.map(({ name }) => safeName(name));
    case "presence":
      return [
        ...note.came.map((name) => `${safeName(name)} logged in`),
        ...note.went.map((name) => `${safeName(name)} logged out`),
      ];
    case "history-heading":
    case "new-since":
    case "unread-rule":
    case "unread-before":
      return [];
    case "held-back":
      return note.messages.map(({ clientMessageId, target, content }) => {
        const decoded = decodeContent(content);
        const text = decoded.kind === "text" ? shortened(decoded.text) : "";
        return `Unsent ${clientMessageId} to ${safeName(nameOf(placeOfTarget(target)))}: ${safeText(text)}`;
      });
    case "not-shown":
    case "missing":
      return screenLines(note, now).map(({ text }) => text.plain);
  }
}
