// Prints every folder of the sources with its files, and the purpose of each file.
import { posix } from "node:path";
import { purposeOf, readSources } from "./sources.ts";

const MAPPED = ["bin", "time", "rpc", "command-line", "server", "client", "conformance", "bench"];

function makeMap(): string {
  const folders = Map.groupBy(readSources(MAPPED), ({ path }) => posix.dirname(path));
  return [...folders]
    .sort(([a], [b]) => MAPPED.indexOf(topOf(a)) - MAPPED.indexOf(topOf(b)) || (a < b ? -1 : 1))
    .map(([folder, files]) => {
      const rows = files.map(
        ({ path, text }) => `  ${posix.basename(path).padEnd(26)} ${purposeOf(text) ?? ""}`,
      );
      return [`${folder}/`, ...rows].join("\n");
    })
    .join("\n\n");
}

function topOf(folder: string): string {
  return folder.split("/", 1)[0] ?? "";
}

process.stdout.write(`${makeMap()}\n`);
