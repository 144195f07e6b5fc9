// parley passwd: changes the password, which ends all other sessions.

import { toggle } from "../../../command-line/flags.ts";
import { ChangePasswordResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import type { Account } from "../../link/server/account.ts";
import { askNewPassword } from "../account/credentials.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import type { Environment } from "../process/environment.ts";
import { usage } from "../process/exit.ts";
import { readLines } from "../process/input.ts";
import { type Asker, terminalAsker } from "../process/prompts.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: {
    "password-stdin": toggle("Read the old and the new password from two lines of standard input."),
    ...accountFlags,
  },
  about: ["Asks for the old password, and twice for the new one. All other sessions of the user end."],
  json: "ChangePasswordResponse: how many other sessions ended.",
  examples: [""],
  run: async (call) => {
    const { environment, values, output } = call;
    const asker = terminalAsker(environment);
    const isPiped = values["password-stdin"] === true;
    if (!isPiped && asker === undefined) {
      throw usage(
        "Standard input is not a terminal. Add --password-stdin and write the old and the new password to it.",
      );
    }
    await withAccount(call, "changes", async ({ account, profile }) => {
      const endedSessions =
        isPiped || asker === undefined
          ? await account.changePassword(...(await piped(environment)))
          : await askAndChange(asker, account);
      const message = {
        typeName: "parley.chat.v1.ChangePasswordResponse",
        codec: ChangePasswordResponse,
        value: { endedSessions },
      };
      await output.result(
        message,
        line`The password of ${name(profile.username)} is changed. Other sessions ended: ${endedSessions}.`,
      );
    });
    return undefined;
  },
});

async function piped(environment: Environment): Promise<readonly [string, string]> {
  const [old, fresh] = await readLines(environment.stdin, 2);
  if (old === undefined || fresh === undefined) {
    throw usage("--password-stdin: standard input needs two lines, the old password and the new one.");
  }
  return [old, fresh];
}

async function askAndChange(asker: Asker, account: Pick<Account, "changePassword">): Promise<number> {
  const old = await asker.password("Old password");
  return askNewPassword(asker, (fresh) => account.changePassword(old, fresh));
}
