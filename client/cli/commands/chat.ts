// parley chat: the interactive chat, and what `parley` does by itself.
import { accountFlags, wantedOf } from "../account-flags.ts";
import { type Flag, toggle } from "../arguments.ts";
import { defineCommand } from "../command.ts";
import { usage } from "../exit.ts";

const bells = ["never", "direct", "all"] as const;

type Bell = (typeof bells)[number];

const bell: Flag<Bell> = {
  value: "WHEN",
  help: "Ring for messages while the terminal is in the background: never, direct or all; else direct.",
  read: (given) => {
    const found = bells.find((one) => one === given);
    if (found === undefined) throw usage(`"${given}" is none of ${bells.join(", ")}.`);
    return found;
  },
};

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: {
    plain: toggle("Whole lines in and out, without escapes; so it is also in a pipe."),
    bell,
    ...accountFlags,
  },
  about: [
    "Asks for server, user and password where they are not known. Inside it, /help lists the commands.",
  ],
  json: undefined,
  examples: ["", "--as yoda --server 127.0.0.1:12000"],
  run: async ({ environment, values, json }) => {
    if (json) throw usage("The chat has no --json: use tail --json and send.");
    const { runChat } = await import("../chat/run-chat.ts");
    return runChat({
      environment,
      wanted: wantedOf(values),
      plain: values.plain === true,
      bell: values.bell ?? "direct",
    });
  },
});
