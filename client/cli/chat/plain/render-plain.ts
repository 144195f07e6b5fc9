// Renders display items as plain lines for pipes, scripts and dumb terminals: no escapes and no time stamps.

import { decodeContent } from "../../../link/receiving/event-reader.ts";
import { safeName, safeText } from "../../terminal/text/safe-text.ts";
import { shortened } from "../../terminal/text/shortened.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { nameOf, placeOfTarget } from "../model/place.ts";
import { quoted, screenLines } from "../screen/render.ts";

/** Begins the later lines of a message. No other line begins with a space. */
const CONTINUATION = "  ";

/** The lines of an item; none for messages that the user has just typed. */
export function plainLines(item: DisplayItem, now: Date): string[] {
  switch (item.kind) {
    case "message": {
      if (item.echo) return [];
      const { content, from, place } = item;
      const text =
        content.kind === "text"
          ? safeText(content.text, { multiline: true }).replaceAll("\n", `\n${CONTINUATION}`)
          : "(this version of parley cannot show this message)";
      const mark = place.kind === "private" ? " (private)" : "";
      return [`${safeName(from)}${mark}: ${text}`];
    }
    case "greeting":
      return [`Logged in as ${safeName(item.me)}.`];
    case "notice":
      return [`${safeText(item.text)}${quoted(item.quote).replaceAll("\n", `\n${CONTINUATION}`)}`];
    case "error":
      return [`Error: ${safeText(item.text)}`];
    case "answer":
      return item.lines.map((line) => safeText(line));
    case "users":
      return item.users.map(({ name }) => safeName(name));
    case "presence":
      return [
        ...item.came.map((name) => `${safeName(name)} logged in`),
        ...item.went.map((name) => `${safeName(name)} logged out`),
      ];
    case "command":
    case "heading":
    case "history-heading":
    case "new-since":
    case "unread-rule":
    case "unread-before":
      return [];
    case "held-back":
      return item.messages.map(({ clientMessageId, target, content }) => {
        const decoded = decodeContent(content);
        const text = decoded.kind === "text" ? shortened(decoded.text) : "";
        return `Unsent ${clientMessageId} to ${safeName(nameOf(placeOfTarget(target)))}: ${safeText(text)}`;
      });
    case "not-shown":
    case "missing":
      return screenLines(item, now).map(({ text }) => text.plain);
  }
}
