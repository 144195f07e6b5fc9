// The map of files in docs/architecture.md, made of the line that each file begins with. `npm run map` writes it anew.
import { writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { purposeOf, read, readSources, root } from "./sources.ts";

const PAGE = "docs/architecture.md";
const BEGIN = "<!-- map: made by `npm run map` -->";
const END = "<!-- end of map -->";
const MAPPED = ["bin", "rpc", "command-line", "server", "client", "conformance", "bench"];

/** The map as it should stand in the page. */
export function makeMap(): string {
  const folders = Map.groupBy(readSources(MAPPED), ({ path }) => posix.dirname(path));
  return [...folders]
    .sort(([a], [b]) => MAPPED.indexOf(topOf(a)) - MAPPED.indexOf(topOf(b)) || (a < b ? -1 : 1))
    .map(([folder, files]) => {
      const rows = files.map(({ path, text }) => {
        const purpose = (purposeOf(text) ?? "").replaceAll("|", "\\|");
        return `| [${posix.basename(path)}](../${path}) | ${purpose} |`;
      });
      return [`### ${folder}/`, "", "| file | what it is for |", "| --- | --- |", ...rows].join("\n");
    })
    .join("\n\n");
}

/** The map as it stands in the page. */
export function readMap(): string {
  const page = read(PAGE);
  return page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)).trim();
}

function topOf(folder: string): string {
  return folder.split("/", 1)[0] ?? "";
}

if (import.meta.main) {
  const page = read(PAGE);
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  writeFileSync(join(root, PAGE), `${before}\n\n${makeMap()}\n\n${page.slice(page.indexOf(END))}`);
}
