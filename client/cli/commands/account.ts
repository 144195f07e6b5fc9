// parley account: deletes the account of the user.
import { toggle } from "../../../command-line/flags.ts";
import { DeleteAccountResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import type { Environment } from "../process/environment.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { readLines } from "../process/input.ts";
import { terminalAsker } from "../process/prompts.ts";
import { safeName } from "../terminal/text/safe-text.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["delete"],
  words: { least: 1, most: 1 },
  flags: {
    "password-stdin": toggle("Read the password from a line of standard input, and do not ask."),
    ...accountFlags,
  },
  about: [
    "Asks for the password, and then deletes the account on the server. All sessions and devices end. Messages that were " +
      "sent stay in the conversations of the others. The name is not given to another user, so it cannot be undone.",
  ],
  json: "DeleteAccountResponse, which is empty.",
  examples: ["delete"],
  run: async (call) => {
    const { environment, values, output, words } = call;
    if (words[0] !== "delete") throw usage("Usage: account delete.");
    await withAccount(call, "changes", async ({ account, profile }, { state }) => {
      const password = await (values["password-stdin"] === true
        ? piped(environment)
        : asked(environment, profile.username));
      await account.deleteAccount(password);
      state.profiles.accountDeleted(profile);
      const message = {
        typeName: "parley.chat.v1.DeleteAccountResponse",
        codec: DeleteAccountResponse,
        value: {},
      };
      await output.result(message, line`The account ${name(profile.username)} is deleted.`);
    });
    return undefined;
  },
});

async function piped(environment: Environment): Promise<string> {
  const [password] = await readLines(environment.stdin, 1);
  if (password === undefined) throw usage("--password-stdin: standard input needs a line with the password.");
  return password;
}

async function asked(environment: Environment, username: string): Promise<string> {
  const asker = terminalAsker(environment);
  if (asker === undefined)
    throw usage("Standard input is not a terminal. Add --password-stdin and write the password to it.");
  const password = await asker.password("Password");
  if (await asker.confirm(`Delete the account ${safeName(username)} for ever?`)) return password;
  throw new CommandError(Exit.REFUSED, "The account was not deleted.");
}
