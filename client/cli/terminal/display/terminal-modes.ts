// The escape sequences that set and restore the modes of a terminal.
import type { Variables } from "../text/paint.ts";
import { safeText } from "../text/safe-text.ts";

/** Turns on bracketed paste and focus reports. */
export const ENTER = "\x1b[?2004h\x1b[?1004h";
/** Undoes ENTER, and the modes that an interrupted frame may have left: no wrapping, synchronized output, a style. */
export const LEAVE = "\x1b[?2026l\x1b[?7h\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[0m";

export const BELL = "\x07";
export const SAVE_TITLE = "\x1b[22;2t";
export const RESTORE_TITLE = "\x1b[23;2t";

export function title(text: string): string {
  return `\x1b]2;${safeText(text)}\x1b\\`;
}

export function hasTitle(env: Variables): boolean {
  const term = env.TERM ?? "";
  return term !== "" && term !== "dumb" && term !== "linux";
}

/** Moves the whole screen into the scrollback, and the cursor to the first cell. Nothing is lost. */
export function freshScreen(rows: number): string {
  return `\x1b[${rows};1H${"\n".repeat(rows)}\x1b[H`;
}
