// Responsibilities that belong to one file or folder, such as reading the environment.
import type { Source } from "./sources.ts";

export interface Ownership {
  /** What only the owners do, as the end of a sentence about them. */
  readonly what: string;
  /** Matches lines that do it. */
  readonly pattern: RegExp;
  /** Files, or folders with a slash at the end; empty if no file may do it. */
  readonly owners: readonly string[];
}

export const owners: readonly Ownership[] = [
  {
    what: "reads the environment",
    pattern: /\bprocess\.env\b/,
    owners: ["server/settings/config.ts", "client/cli/process/environment.ts"],
  },
  {
    what: "destructures or aliases the process, which the other rows would not find",
    pattern:
      /\} from "(?:node:)?process"|\bimport (?!process\b).* from "(?:node:)?process"|\bconst\b.*= process;|\bprocess\[/,
    owners: [],
  },
  {
    what: "ends the process while work is left; only a last-resort timer may",
    pattern: /(?<!setTimeout\(\(\) => )\bprocess\.(?:exit|reallyExit|abort)\(/,
    owners: [],
  },
  { what: "prints with console", pattern: /\bconsole\./, owners: [] },
  {
    what: "uses the standard output",
    pattern: /\bprocess\.stdout\b/,
    owners: ["server/run.ts", "client/cli/process/environment.ts", "conformance/main.ts"],
  },
  {
    what: "imports enquirer",
    pattern: /"enquirer"/,
    owners: ["command-line/ask.ts"],
  },
  {
    what: "imports grpc-js",
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
  { what: "imports SQLite", pattern: /"node:sqlite"/, owners: ["server/store/sqlite/", "client/state/"] },
  { what: "imports pino", pattern: /"pino"/, owners: ["server/log.ts"] },
];

export function isOwner({ path }: Source, { owners: names }: Ownership): boolean {
  return names.some((name) => (name.endsWith("/") ? path.startsWith(name) : path === name));
}
