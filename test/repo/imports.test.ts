// The shape of the project, held by force: which folder may import which, no cycles, and one owner for what has one.
import { posix } from "node:path";
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

/** What every part of the server may use. */
const serverGround = [
  "server/ids.ts",
  "server/limits.ts",
  "server/reasons.ts",
  "server/log.ts",
  "time/",
  "rpc/",
  "gen/",
];
/** What the rules stand on. */
const rulesGround = ["server/client-manager.ts", "server/store/store.ts", "server/bus/", ...serverGround];

/**
 * Which paths may import which, from the project's folder. The row of a file is the longest prefix of its path. Files
 * below one folder row may import each other; the test of rooms below finds arrows that run both ways between them.
 */
const directions: Record<string, readonly string[]> = {
  "gen/": [],
  "time/": [],
  "rpc/": ["time/", "gen/google/", "gen/grpc/", "gen/health/"],
  "command-line/": [],

  // main, commands, server, services, rules, ground: each imports those after it, never one before it.
  "server/main.ts": ["server/run.ts"],
  "server/run.ts": ["server/commands/"],
  "server/commands/": ["time/", "server/", "command-line/", "rpc/", "gen/"],
  "server/server.ts": ["server/services/", "server/chat/", "server/private/", "server/auth/", ...rulesGround],
  "server/services/": ["server/chat/", "server/private/", "server/auth/", ...rulesGround],
  "server/private/": ["server/chat/", "server/auth/", ...rulesGround],
  "server/chat/": ["server/auth/", ...rulesGround],
  "server/auth/": rulesGround,
  "server/client-manager.ts": ["server/bus/", ...serverGround],
  "server/bus/": ["server/store/store.ts", "gen/"],
  "server/store/": ["server/ids.ts", "server/limits.ts"],
  "server/settings/": [
    "server/files/",
    "server/auth/",
    "server/store/store.ts",
    "command-line/",
    ...serverGround,
  ],
  "server/files/": ["server/auth/", "server/store/store.ts", "command-line/", ...serverGround],
  "server/ids.ts": ["gen/"],
  "server/limits.ts": [],
  "server/reasons.ts": ["rpc/", "gen/"],
  "server/log.ts": [],

  // The terminal client and the SDK, which is what the package exports, stand on link and state, which know no terminal.
  "client/cli/terminal/": [],
  "client/cli/": ["time/", "client/link/", "client/peer/", "client/state/", "command-line/", "rpc/", "gen/"],
  "client/peer/": ["time/", "client/link/", "rpc/", "gen/"],
  "client/sdk/": ["time/", "client/link/", "client/peer/", "client/state/", "rpc/", "gen/"],
  "client/link/": ["time/", "client/state/", "rpc/", "gen/"],
  "client/state/": ["time/", "client/link/", "client/peer/", "rpc/", "gen/"],

  "bin/": ["server/main.ts", "client/cli/main.ts"],
  // The kit looks at servers from outside, in any language: it imports nothing of ours but the contract and rpc/.
  "conformance/": ["time/", "command-line/", "rpc/", "gen/"],
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
  const own = row.endsWith("/") ? [row] : [];
  return [...own, ...(directions[row] ?? [])].some((allowed) => file.startsWith(allowed));
}

// ---- rooms

/** The folders whose structure is checked: what the product is made of. */
const product = sources.filter(({ path }) =>
  /^(?:time|rpc|command-line|server|client|conformance)\//.test(path),
);
const productFolders = new Set(product.map(({ path }) => posix.dirname(path)));

/** A room is a folder without folders in it; a file beside folders is a room of its own. */
function roomOf(path: string): string {
  const folder = posix.dirname(path);
  return [...productFolders].some((other) => other.startsWith(`${folder}/`)) ? path : folder;
}

const MOST_FILES = 15;
/** Tables: one file for each row of one kind. */
const tables = ["client/cli/commands", "client/cli/chat/commands", "conformance/checks"];

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
    owners: ["server/settings/config.ts", "client/cli/process/environment.ts"],
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
    owners: ["server/run.ts", "client/cli/process/environment.ts", "conformance/main.ts"],
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
      "client/cli/process/failure.ts",
      "client/link/server/endpoint.ts",
      "client/link/model/errors.ts",
      "client/peer/conversation/refusals.ts",
      "conformance/",
    ],
  },
  {
    what: "uses private parts of grpc-js",
    pattern:
      /\bReflect\.(?:get|set)\(|\w\._read\b|\bupdateSecureContextOptions\b|\bextends ServerCredentials\b/,
    owners: ["rpc/grpc-js-internals.ts"],
  },
  { what: "touches SQLite", pattern: /"node:sqlite"/, owners: ["server/store/sqlite/", "client/state/"] },
  { what: "logs with pino", pattern: /"pino"/, owners: ["server/log.ts"] },
];

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

  test("have no cycle between rooms", () => {
    const edges = new Map<string, string[]>();
    for (const { path, imports } of product) {
      const room = roomOf(path);
      const others = imports.flatMap(({ file }) => (file?.endsWith(".ts") ? [roomOf(file)] : []));
      edges.set(room, [...(edges.get(room) ?? []), ...others.filter((other) => other !== room)]);
    }
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

test("no folder has more than 15 loose files, but for tables of one kind", () => {
  const sizes = Map.groupBy(product, ({ path }) => posix.dirname(path));
  const full = [...sizes].filter(([folder, files]) => files.length > MOST_FILES && !tables.includes(folder));
  expect(full.map(([folder, files]) => `${folder}: ${files.length} files`)).toEqual([]);
});

describe("single owners", () => {
  test.each(owners)("only its owner $what", (ownership) => {
    const offenders = product
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
