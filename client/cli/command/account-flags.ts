// The flags that say which server, which user and which trust: every command that talks to a server takes them.

import { type Flag, text, toggle, type Values } from "../../../command-line/flags.ts";
import { usage } from "../process/exit.ts";
import { readAddress } from "./address.ts";

const server: Flag<string> = {
  value: "HOST:PORT",
  help: "The server; else the one used last, else 127.0.0.1:12000.",
  read: readAddress,
};

const fingerprint: Flag<string> = {
  value: "FP",
  help: "Trust the server with this key alone (SHA256:…), in place of what was known before.",
  read: (given) => {
    const found = /^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$/.exec(given)?.[1];
    if (found === undefined) throw usage("a fingerprint is SHA256: and 43 characters; the server prints it.");
    return `SHA256:${found}`;
  },
};

export const serverFlags = {
  server,
  fingerprint,
  "accept-new": toggle("Trust whatever key an unknown server has; never a changed one."),
  plaintext: toggle("Talk without encryption; only to this machine."),
} as const;

export const accountFlags = {
  as: text("USER", "The user; else the one used last on that server."),
  ...serverFlags,
} as const;

/** What the flags, or whoever stands in for them, say about server and user. */
export interface Wanted {
  readonly server?: string | undefined;
  readonly as?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly acceptNew?: boolean | undefined;
  readonly plaintext?: boolean | undefined;
  /** The original's way: user and password are asked even where a login is stored, and leaving logs out. */
  readonly fresh?: boolean | undefined;
}

export function wantedOf(values: Values<typeof accountFlags>): Wanted {
  return {
    server: values.server,
    as: values.as,
    fingerprint: values.fingerprint,
    acceptNew: values["accept-new"],
    plaintext: values.plaintext,
  };
}
