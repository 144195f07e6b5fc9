// parley whoami: prints the user of the session, after a check with the server.
import { ListSessionsResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name, time } from "../command/show.ts";
import { CommandError, Exit } from "../process/exit.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: ["It calls the server, so exit code 0 says that the session is valid."],
  json: "ListSessionsResponse: the user, and the session of this command alone.",
  examples: ["", "--as yoda"],
  run: async (call) => {
    await withAccount(call, "reads", async ({ account, profile }) => {
      for await (const session of account.listSessions()) {
        if (!session.current) continue;
        const { userId, username, address } = profile;
        const value = { sessions: [session], nextPageToken: "", user: { userId, username } };
        const message = {
          typeName: "parley.chat.v1.ListSessionsResponse",
          codec: ListSessionsResponse,
          value,
        };
        await call.output.result(
          message,
          line`${name(username)} at ${address}, session ${session.sessionId}, until ${time(session.expireTime)} if unused`,
        );
        return;
      }
      throw new CommandError(
        Exit.NOT_LOGGED_IN,
        "The server does not list this session any more. Log in again.",
      );
    });
    return undefined;
  },
});
