// parley revoke: ends one of the user's sessions.
import { RevokeSessionResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["SESSION-ID"],
  words: { least: 1, most: 1 },
  flags: accountFlags,
  about: [
    "The device of the session is logged out within seconds, also during a chat. The sessions command lists the ids.",
  ],
  json: "RevokeSessionResponse, which is empty.",
  examples: ["s7Qx2…"],
  run: async (call) => {
    const [sessionId = ""] = call.words;
    await withAccount(call, "changes", async ({ account, profile }, { state }) => {
      await account.revokeSession(sessionId);
      if (profile.session?.sessionId === sessionId) state.profiles.loggedOut(profile);
      const message = {
        typeName: "parley.chat.v1.RevokeSessionResponse",
        codec: RevokeSessionResponse,
        value: {},
      };
      await call.output.result(message, line`Session ${sessionId} of ${name(profile.username)} has ended.`);
    });
    return undefined;
  },
});
