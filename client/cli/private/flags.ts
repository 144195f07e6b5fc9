// The flags of private chats: who is let in, by which path, on which port, and whether what is said is kept.

import { type Flag, toggle, type Values } from "../../../command-line/flags.ts";
import type { PathChoice, PrivateSettings } from "../chat/model/private-link.ts";
import { usage } from "../process/exit.ts";

const answers = ["ask", "contacts", "accept", "refuse"] as const;
const paths = ["direct", "relay", "auto"] as const;

function oneOf<T extends string>(all: readonly T[], value: string, help: string): Flag<T> {
  return {
    value,
    help,
    read: (given) => {
      const found = all.find((one) => one === given);
      if (found === undefined) throw usage(`"${given}" is none of ${all.join(", ")}.`);
      return found;
    },
  };
}

export const pathFlag = oneOf(
  paths,
  "PATH",
  "Private chats go direct (both see each other's address), by relay (through the server, which cannot read them), or auto: you decide each time; else auto.",
);

export const peerPortFlag: Flag<number> = {
  value: "PORT",
  help: "The port on which other devices may call this one; else any that is free.",
  read: (given) => {
    const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
    if (!(port <= 65_535)) throw usage(`"${given}" is no port.`);
    return port;
  },
};

export const keepFlag = toggle(
  "Keep what is said in private, on this device only: history USER --private prints it, and with --forget deletes it.",
);

export const debugFlag = toggle(
  "Show the peer server's schema and health to this machine, on a port of its own; for debugging.",
);

export const privateFlags = {
  "private-answer": oneOf(
    answers,
    "HOW",
    "When somebody asks for a private chat: ask you, let in contacts whose keys are known, accept all, or refuse all; else ask.",
  ),
  "private-path": pathFlag,
  "keep-private": keepFlag,
  "peer-port": peerPortFlag,
  "peer-debug": debugFlag,
} as const;

/** What the flags say, with defaults. */
export interface PrivateWanted {
  readonly answer: PrivateSettings["answer"];
  readonly path: PathChoice | "auto";
  readonly keep: boolean;
  readonly port: number;
  readonly debug: boolean;
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
  };
}
