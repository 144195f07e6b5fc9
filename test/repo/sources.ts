// Reads the project's source files for the repo tests: paths, first lines, and imports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The folders with sources. */
export const sourceFolders = [
  "time",
  "rpc",
  "command-line",
  "server",
  "client",
  "conformance",
  "gen",
  "test",
  "bench",
  "bin",
] as const;

export interface Import {
  /** The text between the quotes. */
  readonly specifier: string;
  /** The imported file, from the project's folder; undefined for a package. */
  readonly file: string | undefined;
  readonly line: number;
}

export interface Source {
  /** From the project's folder, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Every file below these folders whose name ends in one of the endings, in order of path. */
export function listFiles(folders: readonly string[], endings: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !path.includes("node_modules/"))
    .sort();
}

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

export function readSources(folders: readonly string[] = sourceFolders): Source[] {
  return listFiles(folders, [".ts", ".js"]).map((path) => {
    const text = read(path);
    return { path, text, imports: importsOf(path, text) };
  });
}

const BINDING = String.raw`(?:[\w$]+|\*(?:\s+as\s+[\w$]+)?|\{[^}]*\})`;
/** Biome keeps imports at the beginning of a line and in this form. imports.test.ts shows what the pattern finds. */
const STATIC = new RegExp(
  String.raw`^(?:import|export)\s+(?:(?:type\s+)?${BINDING}(?:\s*,\s*${BINDING})?\s+from\s+)?"([^"\n]+)"`,
  "gm",
);
const DYNAMIC = /\bimport\(\s*"([^"\n]+)"/g;
/** A file that starts a worker counts as importing the worker's entry. */
const WORKER = /\bnew URL\(\s*"(\.{1,2}\/[^"\n]+\.[tj]s)",\s*import\.meta\.url/g;

/** The imports of a file, including types, found in its text. */
export function importsOf(path: string, text: string): Import[] {
  return [STATIC, DYNAMIC, WORKER]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((match) => {
      const specifier = match[1] ?? "";
      const file = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined;
      return { specifier, file, line: lineAt(text, match.index) };
    })
    .sort((a, b) => a.line - b.line);
}

export interface Place {
  readonly line: number;
  readonly text: string;
}

/** The lines that match outside comments. */
export function linesMatching(source: Source, pattern: RegExp): Place[] {
  return source.text.split("\n").flatMap((text, index) => {
    const code = /^\s*(?:\/\/|\/\*|\*)/.test(text) ? "" : text.replace(/\s\/\/ .*$/, "");
    return pattern.test(code) ? [{ line: index + 1, text: text.trim() }] : [];
  });
}

/** The first sentence of the comment at the beginning of a file, which says what the file is for; undefined without one. */
export function purposeOf(text: string): string | undefined {
  const [comment] = text.replace(/^#!.*\n/, "").match(/^(?:\/\/ \S.*\n)+/) ?? [];
  return comment
    ?.replaceAll(/^\/\/ /gm, "")
    .replaceAll("\n", " ")
    .trim()
    .match(/^.*?(?=\.(?:\s|$)|$)/)?.[0];
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
