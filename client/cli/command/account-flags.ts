// The flags for the server, the user and the trust, which every command that calls a server takes.

import { type Flag, text, toggle, type Values } from "../../../command-line/flags.ts";
import { mapUsername } from "../../../command-line/map-username.ts";
import { usage } from "../process/exit.ts";
import { readAddress } from "./address.ts";

const server: Flag<string> = {
  value: "HOST:PORT",
  help: "The server. Default: the one used last, or 127.0.0.1:12000.",
  read: readAddress,
};

const fingerprint: Flag<string> = {
  value: "FP",
  help: "Trust only the server with this key (SHA256:…), instead of the one that is known.",
  read: (given) => {
    const found = /^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$/.exec(given)?.[1];
    if (found === undefined) throw usage("a fingerprint is SHA256: and 43 characters; the server prints it.");
    return `SHA256:${found}`;
  },
};

export const serverFlags = {
  server,
  fingerprint,
  "accept-new": toggle(
    "Trust the key of a server that is not known yet, whatever it is. Does not accept a changed key.",
  ),
  plaintext: toggle("Connect without encryption. Only for a server on this machine."),
} as const;

const asUser = text("USER", "The user. Default: the one used last on that server.");

export const accountFlags = {
  // In the form in which logins are stored, so that a login is found however the name was typed.
  as: { ...asUser, read: (given: string) => mapUsername(asUser.read(given)) },
  ...serverFlags,
} as const;

/** The server, user and trust that the flags, or a caller instead of them, ask for. */
export interface Wanted {
  readonly server?: string | undefined;
  readonly as?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly acceptNew?: boolean | undefined;
  readonly plaintext?: boolean | undefined;
  /** Like the original's client, ask for user and password even if a login is stored, and log out on leaving. */
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
