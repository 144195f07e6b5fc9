// parley logins: lists the user's log-ins and the refused attempts, with time, address and program.

import { type Flag, toggle } from "../../../command-line/flags.ts";
import { LogInRecord } from "../../../gen/parley/chat/v1/auth_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { logInLine } from "../log/show-log-ins.ts";
import { usage } from "../process/exit.ts";

const count: Flag<number> = {
  value: "N",
  short: "n",
  help: "How many of the newest records to print. Default: 50.",
  read: (given) => {
    if (!/^[1-9]\d{0,8}$/.test(given)) throw usage(`"${given}" is not a number from 1 on.`);
    return Number(given);
  },
};

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: {
    count,
    all: toggle("The records of all users. Only for administrators of the server."),
    ...accountFlags,
  },
  about: [
    "Prints the newest record first, with time, outcome, address, device and program. Equal refusals in a row are one line.",
  ],
  json: "LogInRecord, one for each record.",
  examples: ["", "--all -n 200"],
  run: async (call) => {
    const { count: most = 50, all = false } = call.values;
    await withAccount(call, "reads", async ({ account }) => {
      let left = most;
      for await (const record of account.listLogIns({ allUsers: all })) {
        const message = { typeName: "parley.chat.v1.LogInRecord", codec: LogInRecord, value: record };
        await call.output.result(message, logInLine(record, all));
        left -= 1;
        if (left === 0) break;
      }
    });
    return undefined;
  },
});
