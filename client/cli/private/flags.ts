// The flags of private chats: how requests are answered, and the path, the port and the storing of lines.

import { type Flag, toggle, type Values } from "../../../command-line/flags.ts";
import type { KeyPolicy } from "../../peer/keys/contacts.ts";
import { usage } from "../process/exit.ts";
import type { PathChoice, PrivateSettings } from "./settings.ts";

const answers = ["ask", "contacts", "accept", "refuse"] as const;
const paths = ["direct", "relay", "auto"] as const;

function oneOf<T extends string>(all: readonly T[], value: string, help: string): Flag<T> {
  return {
    value,
    help,
    read: (given) => {
      const found = all.find((one) => one === given);
      if (found === undefined) throw usage(`"${given}" is not one of ${all.join(", ")}.`);
      return found;
    },
  };
}

export const pathFlag = oneOf(
  paths,
  "PATH",
  "The path of private chats: direct (each device sees the address of the other), relay (through the server, which cannot read them) or auto (you decide each time). Default: auto.",
);

/** The same flag, for commands that cannot ask the user. */
export const scriptPathFlag: Flag<(typeof paths)[number]> = {
  ...pathFlag,
  help: "The path of private chats: direct (each device sees the address of the other), or relay (through the server, which cannot read them). auto is relay, because the command cannot ask. Default: relay.",
};

export const peerPortFlag: Flag<number> = {
  value: "PORT",
  help: "The port on which other devices connect to this one. Default: any free port.",
  read: (given) => {
    const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
    if (!(port <= 65_535)) throw usage(`"${given}" is not a port.`);
    return port;
  },
};

export const keepFlag = toggle(
  "Store the lines of private chats on this device: history USER --private prints them, and with --forget deletes them.",
);

/** For commands that a script runs: there is no person who could be asked about a key. */
export const keyFlags = {
  "only-known": toggle(
    "Chat only with users whose key this device knows already. A changed key or an unsigned device is refused.",
  ),
  "only-verified": toggle(
    "Chat only with users whose key you have verified, on a device that it has signed.",
  ),
} as const;

export function admitsOf(values: Values<typeof keyFlags>): NonNullable<KeyPolicy["admits"]> {
  if (values["only-verified"] === true) return "verified";
  return values["only-known"] === true ? "known" : "anyone";
}

export const debugFlag = toggle(
  "For debugging: offer the schema and the health of the peer server to programs on this machine, on a separate port.",
);

export const privateFlags = {
  "private-answer": oneOf(
    answers,
    "HOW",
    "The answer to requests for a private chat: ask (you decide), contacts (accept users whose key is known), accept or refuse. Default: ask.",
  ),
  "private-path": pathFlag,
  "keep-private": keepFlag,
  "peer-port": peerPortFlag,
  "peer-debug": debugFlag,
  ...keyFlags,
} as const;

/** The values of the flags, with defaults. */
export interface PrivateWanted {
  readonly answer: PrivateSettings["answer"];
  readonly path: PathChoice | "auto";
  readonly keep: boolean;
  readonly port: number;
  readonly debug: boolean;
  readonly admits: NonNullable<KeyPolicy["admits"]>;
}

export function privateWantedOf(
  values: Values<typeof privateFlags>,
  otherwise: Pick<PrivateWanted, "answer" | "path">,
): PrivateWanted {
  return {
    answer: values["private-answer"] ?? otherwise.answer,
    path: values["private-path"] ?? otherwise.path,
    keep: values["keep-private"] === true,
    port: values["peer-port"] ?? 0,
    debug: values["peer-debug"] === true,
    admits: admitsOf(values),
  };
}
