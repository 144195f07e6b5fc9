// Reads the parts of Markdown that the docs tests compare: headings, links, tables and code.
import { read } from "./sources.ts";

export interface Page {
  /** From the project's folder. */
  readonly path: string;
  readonly text: string;
  /** The text without the fenced blocks. */
  readonly prose: string;
  /** The fenced blocks, with the word after the opening fence. */
  readonly fences: readonly { readonly language: string; readonly text: string }[];
}

const FENCE = /^( *)(```+)(\w*)[^\n]*\n(.*?)^\1\2$/gms;

/** @param text of the page; by default that of the file */
export function readPage(path: string, text = read(path)): Page {
  const fences = [...text.matchAll(FENCE)].map((match) => ({
    language: match[3] ?? "",
    text: match[4] ?? "",
  }));
  return { path, text, prose: text.replace(FENCE, ""), fences };
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: Page): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, title = ""] of page.prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const anchor = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  return anchors;
}

/** The targets of a page's links, except those in code. */
export function linksOf(page: Page): string[] {
  const prose = page.prose.replace(/`[^`\n]*`/g, (code) => "x".repeat(code.length));
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1] ?? "");
}

/** The rows of the table whose header row begins with these cells; cells are trimmed. */
export function tableOf(page: Page, ...header: string[]): string[][] {
  const lines = page.text.split("\n");
  const start = lines.findIndex((line) => {
    const cells = cellsOf(line);
    return header.every((name, index) => cells?.[index] === name);
  });
  if (start < 0) throw new Error(`${page.path} has no table with the header ${header.join(", ")}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    const cells = cellsOf(line);
    if (cells === undefined) break;
    rows.push(cells);
  }
  return rows;
}

function cellsOf(line: string): string[] | undefined {
  if (!/^\|.*\|$/.test(line)) return undefined;
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** The section below a heading, up to the next heading of the same level or above. */
export function sectionOf(page: Page, heading: string): string {
  const level = heading.match(/^#+/)?.[0].length ?? 0;
  const lines = page.text.split("\n");
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`${page.path} has no heading "${heading}"`);
  const next = new RegExp(`^#{1,${level}} `);
  const length = lines.slice(start + 1).findIndex((line) => next.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** The first piece of code in a cell, without the backticks. */
export function code(cell: string | undefined): string {
  return cell?.match(/`([^`]*)`/)?.[1] ?? "";
}
