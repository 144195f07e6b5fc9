// parley chat: the interactive chat, which `parley` starts without a command.

import { isIPv6 } from "node:net";
import { type Flag, toggle } from "../../../command-line/flags.ts";
import { accountFlags, type Wanted, wantedOf } from "../command/account-flags.ts";
import { readAddress } from "../command/address.ts";
import { defineCommand } from "../command/command.ts";
import { privateFlags, privateWantedOf } from "../private/flags.ts";
import { usage } from "../process/exit.ts";

const bells = ["never", "direct", "all"] as const;

type Bell = (typeof bells)[number];

const bell: Flag<Bell> = {
  value: "WHEN",
  help: "Ring for messages while the terminal is in the background: never, direct or all. Default: direct.",
  read: (given) => {
    const found = bells.find((one) => one === given);
    if (found === undefined) throw usage(`"${given}" is not one of ${bells.join(", ")}.`);
    return found;
  },
};

export const command = defineCommand({
  forms: ["", "HOST PORT"],
  words: { least: 0, most: 2 },
  flags: {
    plain: toggle("Read and print whole lines without escape sequences. This is the default in a pipe."),
    bell,
    ...privateFlags,
    ...accountFlags,
  },
  about: [
    "Asks for the server, the user and the password if they are not known. In the chat, /help lists the commands.",
    "HOST PORT is the command line of the assignment that Parley started from: it always asks for user and password, it logs out when you leave, and it accepts private chats without asking you, directly from device to device where that is possible.",
  ],
  json: undefined,
  examples: ["", "--as yoda --server 127.0.0.1:12000", "127.0.0.1 12000"],
  run: async ({ environment, values, json, words }) => {
    if (json) throw usage("The chat has no --json. Use tail --json and send.");
    const { runChat } = await import("../chat/run-chat.ts");
    return runChat({
      environment,
      wanted: words.length === 0 ? wantedOf(values) : originals(words, wantedOf(values)),
      privately: privateWantedOf(
        values,
        words.length === 0 ? { answer: "ask", path: "auto" } : { answer: "accept", path: "direct" },
      ),
      plain: values.plain === true,
      bell: values.bell ?? "direct",
    });
  },
});

/** The original's command line. @throws UsageError */
function originals([host = "", port = ""]: readonly string[], wanted: Wanted): Wanted {
  const problem = /^\d{1,5}$/.test(port)
    ? undefined
    : port === ""
      ? "The port is missing."
      : `"${port}" is not a port.`;
  if (problem !== undefined) throw usage(`${problem} Write HOST PORT, such as 127.0.0.1 12000.`);
  if (wanted.server !== undefined) throw usage("The server is named twice: by HOST PORT and by --server.");
  return {
    ...wanted,
    server: readAddress(`${isIPv6(host) ? `[${host}]` : host}:${port}`),
    fresh: true,
  };
}
