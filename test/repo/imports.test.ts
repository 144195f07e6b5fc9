// The shape of the project, held by force: which folder may import which, no cycles, and one owner for what has one.
import { describe, expect, test } from "vitest";
import { findCycles } from "./cycles.ts";
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

// ---- directions

/** Words that the server's parts share. */
const serverWords = [
  "server/ids.ts",
  "server/limits.ts",
  "server/reasons.ts",
  "server/log.ts",
  "rpc/",
  "gen/",
];
/** What the rules stand on. */
const serverGround = ["server/client-manager.ts", "server/store/store.ts", "server/bus/", ...serverWords];

/**
 * Who may import what, from the project's folder. The longest name that a file's path begins with is its row; beside
 * what the row names, files of one folder may import each other.
 */
const directions: Record<string, readonly string[]> = {
  "gen/": [],
  "rpc/": ["gen/google/", "gen/grpc/", "gen/health/"],
  "command-line/": [],

  // main, commands, server, services, rules, ground: each imports those after it, never one before it.
  "server/main.ts": ["server/commands/", "server/config.ts", "server/settings.ts", "server/help.ts"],
  "server/commands/": ["server/", "command-line/", "rpc/", "gen/"],
  "server/server.ts": ["server/services/", "server/chat/", "server/auth/", ...serverGround],
  "server/services/": ["server/chat/", "server/auth/", ...serverGround],
  "server/chat/": ["server/auth/", ...serverGround],
  "server/auth/": ["server/chat/", ...serverGround],
  "server/client-manager.ts": ["server/bus/", ...serverWords],
  "server/bus/": ["server/store/store.ts", "gen/"],
  "server/store/": ["server/ids.ts", "server/limits.ts"],
  // Files that stand alone in server/: settings, certificate, credentials; used by the commands only.
  "server/": ["server/auth/", "server/store/store.ts", "command-line/", ...serverWords],

  // The terminal client and the SDK, which is what the package exports, stand on link and state, which know no terminal.
  "client/cli/terminal/": [],
  "client/cli/": [
    "client/cli/",
    "client/link/",
    "client/peer/",
    "client/state/",
    "command-line/",
    "rpc/",
    "gen/",
  ],
  "client/peer/": ["client/link/", "rpc/", "gen/"],
  "client/sdk/": ["client/link/", "client/peer/", "client/state/", "rpc/", "gen/"],
  "client/link/": ["client/state/", "rpc/", "gen/"],
  "client/state/": ["client/link/", "client/peer/", "rpc/", "gen/"],

  "bin/": ["server/main.ts", "client/cli/main.ts"],
  // It looks at servers from outside, those in other languages included: what ours is made of is not its business.
  "conformance/": ["command-line/", "rpc/", "gen/"],
  // Anything.
  "test/": [""],
  "bench/": [""],
};

function rowOf(path: string): string | undefined {
  return Object.keys(directions)
    .filter((row) => path.startsWith(row))
    .sort((a, b) => b.length - a.length)[0];
}

function mayImport(path: string, file: string): boolean {
  const row = rowOf(path);
  if (row === undefined) return false;
  const own = row.endsWith("/") && row !== "server/" ? [row] : [];
  const besides = row === "server/" && /^server\/[^/]+$/.test(file) && rowOf(file) === "server/";
  return besides || [...own, ...(directions[row] ?? [])].some((allowed) => file.startsWith(allowed));
}

// ---- owners

interface Ownership {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files, or folders with a slash at the end. */
  readonly owners: readonly string[];
}

const owners: readonly Ownership[] = [
  {
    what: "reads the environment",
    pattern: /\bprocess\.env\b/,
    owners: ["server/config.ts", "client/cli/environment.ts"],
  },
  {
    what: "takes the process apart, past the other rows",
    pattern:
      /\} from "(?:node:)?process"|\bimport (?!process\b).* from "(?:node:)?process"|\bconst\b.*= process;|\bprocess\[/,
    owners: [],
  },
  {
    what: "ends the process before it runs dry (a last-resort timer may)",
    pattern: /(?<!setTimeout\(\(\) => )\bprocess\.(?:exit|reallyExit|abort)\(/,
    owners: [],
  },
  { what: "prints past the owners of the output", pattern: /\bconsole\./, owners: [] },
  {
    what: "has the standard output",
    pattern: /\bprocess\.stdout\b/,
    owners: ["server/main.ts", "client/cli/environment.ts", "conformance/main.ts"],
  },
  {
    what: "asks questions with enquirer",
    pattern: /"enquirer"/,
    owners: ["command-line/ask.ts"],
  },
  {
    what: "touches grpc-js",
    pattern: /"@grpc\/grpc-js/,
    owners: [
      "rpc/",
      "server/reasons.ts",
      "client/cli/explain.ts",
      "client/link/endpoint.ts",
      "client/link/errors.ts",
      "client/peer/refusals.ts",
      "conformance/",
    ],
  },
  { what: "touches SQLite", pattern: /"node:sqlite"/, owners: ["server/store/sqlite/", "client/state/"] },
  { what: "logs with pino", pattern: /"pino"/, owners: ["server/log.ts"] },
];

const owned = sources.filter(({ path }) => /^(?:rpc|command-line|server|client|conformance)\//.test(path));

function isOwner({ path }: Source, { owners: names }: Ownership): boolean {
  return names.some((name) => (name.endsWith("/") ? path.startsWith(name) : path === name));
}

// ---- the tests

describe("imports", () => {
  test("are found in every form that the sources use", () => {
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

  test("point one way", () => {
    expect(places(({ file }, { path }) => file !== undefined && !mayImport(path, file))).toEqual([]);
  });

  test("of packages are declared: those of the product as dependencies", () => {
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

  test("have no cycle, types counted", () => {
    const edges = new Map(
      sources.map(({ path, imports }) => [path, imports.flatMap(({ file }) => file ?? [])] as const),
    );
    expect(findCycles(edges).map((cycle) => cycle.join(" -> "))).toEqual([]);
  });

  test("a cycle is found around a corner", () => {
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

describe("single owners", () => {
  test.each(owners)("only its owner $what", (ownership) => {
    const offenders = owned
      .filter((source) => !isOwner(source, ownership))
      .flatMap((source) =>
        linesMatching(source, ownership.pattern).map(
          (place) => `${source.path}:${place.line}: ${place.text}`,
        ),
      );
    expect(offenders).toEqual([]);
  });

  test("every named owner is one", () => {
    const idle = owners.flatMap((ownership) =>
      ownership.owners
        .filter((name) => {
          const mine = owned.filter(({ path }) =>
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
