// Checks the structure of the project: directions of imports, cycles, loose files of folders, and responsibilities.
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { findCycles } from "./cycles.ts";
import { mayImport } from "./directions.ts";
import { isOwner, owners } from "./owners.ts";
import {
  type Import,
  importsOf,
  linesMatching,
  purposeOf,
  read,
  readSources,
  type Source,
} from "./sources.ts";

const sources = readSources();

/** The sources of the product, whose structure is checked. */
const product = sources.filter(({ path }) =>
  /^(?:time|rpc|command-line|server|client|conformance)\//.test(path),
);
const productFolders = new Set(product.map(({ path }) => posix.dirname(path)));

/** The folder of a file, if the folder has no subfolders. A file beside subfolders counts as a folder of its own. */
function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return [...productFolders].some((other) => other.startsWith(`${folder}/`)) ? path : folder;
}

const MOST_FILES = 15;
/** Folders with one file for each row of a table. */
const tables = ["client/cli/commands", "client/cli/chat/commands", "conformance/checks"];

describe("imports", () => {
  test("are found in all forms that the sources use", () => {
    const text = [
      'import "./effect.ts";',
      'import a from "./a.ts";',
      'import type { B } from "./b.ts";',
      "import {",
      "  type C,",
      "  c,",
      '} from "./c.ts";',
      'import * as d from "../d.ts";',
      'import e, { type E } from "package";',
      'export { f } from "./f.ts";',
      'export * from "./g.ts";',
      'const h = await IMPORT("./h.ts");',
      'new Worker(NEW URL("./i.ts", import.meta.url));',
      'export const j = "./j.ts";',
      '// import k from "./k.ts"',
    ]
      .join("\n")
      .replace("IMPORT", "import")
      .replace("NEW", "new");
    const found = importsOf("x/y.ts", text);
    expect(found.map(({ file, specifier }) => file ?? specifier)).toEqual(
      ["effect", "a", "b", "c"]
        .map((name) => `x/${name}.ts`)
        .concat(
          "d.ts",
          "package",
          ["f", "g", "h", "i"].map((name) => `x/${name}.ts`),
        ),
    );
    expect(found[3]?.line).toBe(4);
  });

  test("lead to files that exist", () => {
    const paths = new Set(sources.map(({ path }) => path));
    expect(places(({ file }) => file !== undefined && !paths.has(file) && !file.endsWith(".json"))).toEqual(
      [],
    );
  });

  test("have an allowed direction", () => {
    expect(places(({ file }, { path }) => file !== undefined && !mayImport(path, file))).toEqual([]);
  });

  test("of packages are declared in package.json, those of the product as dependencies", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json"));
    const forProduct = new Set(Object.keys(dependencies));
    const forAll = new Set([...forProduct, ...Object.keys(devDependencies)]);
    expect(
      places(({ file, specifier }, { path }) => {
        if (file !== undefined || specifier.startsWith("node:")) return false;
        const name = specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/");
        return !(/^(?:test|bench)\//.test(path) ? forAll : forProduct).has(name);
      }),
    ).toEqual([]);
  });

  test("have no cycle between files, types included", () => {
    const edges = new Map(
      sources.map(({ path, imports }) => [path, imports.flatMap(({ file }) => file ?? [])] as const),
    );
    expect(findCycles(edges).map((cycle) => cycle.join(" -> "))).toEqual([]);
  });

  test("have no cycle between folders", () => {
    const edges = new Map<string, string[]>();
    for (const { path, imports } of product) {
      const folder = folderOf(path);
      const others = imports.flatMap(({ file }) => (file?.endsWith(".ts") ? [folderOf(file)] : []));
      edges.set(folder, [...(edges.get(folder) ?? []), ...others.filter((other) => other !== folder)]);
    }
    expect(findCycles(edges).map((cycle) => cycle.join(" -> "))).toEqual([]);
  });

  test("a cycle through several files is found", () => {
    const edges = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["d", "b"]],
      ["d", []],
    ]);
    expect(findCycles(edges)).toEqual([["b", "c", "b"]]);
  });

  function places(isWrong: (found: Import, source: Source) => boolean): string[] {
    return sources.flatMap((source) =>
      source.imports
        .filter((found) => isWrong(found, source))
        .map((found) => `${source.path}:${found.line} imports ${found.file ?? found.specifier}`),
    );
  }
});

test("no folder has more than 15 loose files, except tables of one kind", () => {
  const sizes = Map.groupBy(product, ({ path }) => posix.dirname(path));
  const full = [...sizes].filter(([folder, files]) => files.length > MOST_FILES && !tables.includes(folder));
  expect(full.map(([folder, files]) => `${folder}: ${files.length} files`)).toEqual([]);
});

describe("responsibilities", () => {
  test.each(owners)("only an owner $what", (ownership) => {
    const offenders = product
      .filter((source) => !isOwner(source, ownership))
      .flatMap((source) =>
        linesMatching(source, ownership.pattern).map(
          (place) => `${source.path}:${place.line}: ${place.text}`,
        ),
      );
    expect(offenders).toEqual([]);
  });

  test("every owner in the table uses its responsibility", () => {
    const idle = owners.flatMap((ownership) =>
      ownership.owners
        .filter((name) => {
          const mine = product.filter(({ path }) =>
            name.endsWith("/") ? path.startsWith(name) : path === name,
          );
          return !mine.some((source) => linesMatching(source, ownership.pattern).length > 0);
        })
        .map((name) => `${name} no longer ${ownership.what}`),
    );
    expect(idle).toEqual([]);
  });
});

test("the first line of each file says what it is for", () => {
  const silent = sources.filter(
    ({ path, text }) => !path.startsWith("gen/") && purposeOf(text) === undefined,
  );
  expect(silent.map(({ path }) => path)).toEqual([]);
});
