// parley login: starts a session and stores it.

import {
  grantMessage,
  passwordFlag,
  passwordFor,
  requirePassword,
  usernameOr,
} from "../account/credentials.ts";
import { askSession, choose, startSession, trustServerForLogIn } from "../account/sign-in.ts";
import { openContext, withConnectionHints } from "../account/with-account.ts";
import { accountFlags, wantedOf } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import { usage } from "../process/exit.ts";
import { failureForPerson } from "../process/failure.ts";
import { terminalAsker } from "../process/prompts.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["USER"],
  words: { least: 0, most: 1 },
  flags: { ...passwordFlag, ...accountFlags },
  about: [
    "Asks for the password on a terminal; a script uses --password-stdin. The session is stored for all other commands. " +
      "A server that no authority vouches for is recognised by its key. The command asks you about a new key (for a " +
      "server on this machine it only prints it), and a script uses --fingerprint or --accept-new. A changed key is an " +
      "error.",
  ],
  json: "Grant: the session, the user and the device, without their secrets.",
  examples: ["yoda --server chat.example.org:12000", "yoda --password-stdin < password.txt"],
  run: async (call) => {
    const { environment, words, values, output } = call;
    const asker = terminalAsker(environment);
    if (words[0] !== undefined && values.as !== undefined && words[0] !== values.as) {
      throw usage("The user is named twice, with different names.");
    }
    requirePassword(call, asker);
    const context = openContext(call, asker);
    using _state = context.state;
    const username = await usernameOr(words[0] ?? values.as, asker);
    const wanted = { ...wantedOf(values), as: username };
    const { address } = choose(context.state, wanted);
    const profile = await withConnectionHints(address, [environment.program, "login", username], async () => {
      const server = await trustServerForLogIn(context, address, username, wanted);
      const question = `Password of ${username}`;
      const user = { server, username };
      if (asker === undefined || values["password-stdin"] === true) {
        return startSession(context, { ...user, password: await passwordFor(call, asker, question) });
      }
      return askSession(context, asker, user, question).catch((error: unknown) => {
        throw failureForPerson(error);
      });
    });
    await output.result(grantMessage(profile), line`Logged in at ${address} as ${name(profile.username)}.`);
    return undefined;
  },
});
