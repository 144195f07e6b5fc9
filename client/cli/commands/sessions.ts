// parley sessions: lists the user's sessions.
import { Session } from "../../../gen/parley/chat/v1/auth_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { sessionLine } from "../log/show-sessions.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: ["The session of this command has a star. revoke ends a session."],
  json: "Session, one for each log-in.",
  examples: [""],
  run: async (call) => {
    await withAccount(call, "reads", async ({ account }) => {
      for await (const session of account.listSessions()) {
        const message = { typeName: "parley.chat.v1.Session", codec: Session, value: session };
        await call.output.result(message, sessionLine(session));
      }
    });
    return undefined;
  },
});
