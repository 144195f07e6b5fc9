// Finds URLs in a text, so that they are not cut into rows, and are links in terminals that have links (OSC 8).

export type Variables = Readonly<Record<string, string | undefined>>;

/** A URL, as a range of code units. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

/** Printable ASCII only, because a link is written into an escape sequence. */
const URL = /\bhttps?:\/\/[\x21-\x7e]+/g;
/** Marks at the end that belong to the sentence around the URL. */
const SENTENCE_END = /[.,;:!?'")\]}>]+$/;

export function linksIn(text: string): Link[] {
  if (!text.includes("://")) return [];
  return [...text.matchAll(URL)].map(({ index, 0: found }) => ({
    from: index,
    to: index + found.replace(SENTENCE_END, "").length,
  }));
}

/** The text with its URLs as links to themselves. */
export function withLinks(text: string): string {
  let linked = "";
  let at = 0;
  for (const { from, to } of linksIn(text)) {
    const url = text.slice(from, to);
    linked += `${text.slice(at, from)}\x1b]8;;${url}\x1b\\${url}\x1b]8;;\x1b\\`;
    at = to;
  }
  return linked + text.slice(at);
}

/** Whether the terminal is known to have links. Others may print the address. */
export function hasLinks(env: Variables): boolean {
  // tmux and screen pass links on only if they are set up to.
  if ((env.TMUX ?? "") !== "" || (env.STY ?? "") !== "") return false;
  if (/^(?:iTerm\.app|WezTerm|vscode|ghostty|rio|Hyper|Tabby)$/.test(env.TERM_PROGRAM ?? "")) return true;
  if (/^(?:xterm-kitty|xterm-ghostty|alacritty|foot|contour|wezterm)/.test(env.TERM ?? "")) return true;
  if ((env.WT_SESSION ?? "") !== "" || Number(env.KONSOLE_VERSION ?? 0) >= 201_200) return true;
  // Older versions of VTE crashed on links.
  return Number(env.VTE_VERSION ?? 0) >= 5_002;
}
