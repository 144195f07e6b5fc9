// The allowed directions of imports between the folders of the project.

/** The paths that every part of the server may import. */
const serverBase = [
  "server/ids.ts",
  "server/limits.ts",
  "server/reasons.ts",
  "server/log.ts",
  "server/observer.ts",
  "command-line/map-username.ts",
  "time/",
  "rpc/",
  "gen/",
];
/** The paths that every rule of the server may import. */
const rulesBase = [
  "server/client-manager.ts",
  "server/store/store.ts",
  "server/bus/",
  "server/nodes/",
  ...serverBase,
];

/**
 * The paths that the files of each path may import, from the project's folder. The row of a file is the longest prefix of its
 * path. Files below one folder row may import each other; another test finds cycles between their folders.
 */
const directions: Record<string, readonly string[]> = {
  "gen/": [],
  "time/": [],
  "rpc/": ["time/", "gen/google/", "gen/grpc/", "gen/health/"],
  "command-line/": [],

  // From main to the base: each row imports only from rows below it.
  "server/main.ts": ["server/run.ts"],
  "server/run.ts": ["server/commands/", "command-line/"],
  "server/commands/": ["time/", "server/", "command-line/", "rpc/", "gen/"],
  "server/server.ts": [
    "server/problem-log.ts",
    "server/services/",
    "server/admin/",
    "server/chat/",
    "server/private/",
    "server/auth/",
    ...rulesBase,
  ],
  "server/services/": ["server/admin/", "server/chat/", "server/private/", "server/auth/", ...rulesBase],
  "server/admin/": ["server/auth/", ...rulesBase],
  "server/metrics/": ["server/observer.ts", "server/store/store.ts", "rpc/"],
  "server/private/": ["server/chat/", "server/auth/", ...rulesBase],
  "server/chat/": ["server/auth/", ...rulesBase],
  "server/auth/": ["server/store/lock-terms.ts", ...rulesBase],
  "server/client-manager.ts": ["server/bus/", "server/store/store.ts", ...serverBase],
  "server/bus/": ["server/store/store.ts", "gen/"],
  "server/nodes/": ["server/store/store.ts", ...serverBase],
  "server/store/": [
    "server/ids.ts",
    "server/limits.ts",
    "command-line/make-folder.ts",
    "command-line/package-files.ts",
    "command-line/private-folder.ts",
  ],
  "server/settings/": [
    "server/files/",
    "server/auth/",
    "server/store/store.ts",
    "command-line/",
    ...serverBase,
  ],
  "server/files/": [
    "server/auth/",
    "server/store/store.ts",
    "server/store/sqlite/database/data-check.ts",
    "command-line/",
    ...serverBase,
  ],
  "server/ids.ts": ["gen/"],
  "server/limits.ts": [],
  "server/reasons.ts": ["rpc/", "gen/"],
  "server/log.ts": ["server/logging/", "command-line/", "time/"],
  "server/logging/": ["time/"],
  "server/observer.ts": [],
  "server/problem-log.ts": ["server/log.ts", "server/store/store.ts", "time/"],

  // The terminal client and the SDK import link and state, which do not import them.
  "client/cli/terminal/": [],
  "client/cli/": ["time/", "client/link/", "client/peer/", "client/state/", "command-line/", "rpc/", "gen/"],
  "client/peer/": ["time/", "client/link/", "rpc/", "gen/"],
  "client/sdk/": ["time/", "client/link/", "client/peer/", "client/state/", "rpc/", "gen/"],
  "client/link/": ["time/", "client/state/", "rpc/", "gen/"],
  "client/state/": ["time/", "command-line/", "client/link/", "client/peer/", "rpc/", "gen/"],

  "bin/": ["server/main.ts", "client/cli/main.ts"],
  // The kit also checks servers in other languages, so it imports the contract and rpc/, but no server or client.
  "conformance/": ["time/", "command-line/", "rpc/", "gen/"],
  // Tests and benchmarks may import every file.
  "test/": [""],
  "bench/": [""],
};

function rowOf(path: string): string | undefined {
  return Object.keys(directions)
    .filter((row) => path.startsWith(row))
    .sort((a, b) => b.length - a.length)[0];
}

/** Whether the rows above allow that import. Both are paths from the project's folder. */
export function mayImport(path: string, file: string): boolean {
  const row = rowOf(path);
  if (row === undefined) return false;
  const own = row.endsWith("/") ? [row] : [];
  return [...own, ...(directions[row] ?? [])].some((allowed) => file.startsWith(allowed));
}
