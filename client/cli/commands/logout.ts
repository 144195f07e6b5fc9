// parley logout: ends the session on the server and on this device.
import { LogOutResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { isLoggedOut } from "../../link/model/errors.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import { line } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags: accountFlags,
  about: [
    "Other devices of the user stay logged in. Messages that were not sent are kept for the next log-in.",
  ],
  json: "LogOutResponse, which is empty.",
  examples: ["", "--as yoda"],
  run: async (call) => {
    await withAccount(call, "changes", async ({ account, profile }, { state }) => {
      try {
        await account.logOut();
      } catch (error) {
        // The session had ended already.
        if (!(error instanceof RpcError && isLoggedOut(error))) throw error;
      }
      state.profiles.loggedOut(profile);
      const message = { typeName: "parley.chat.v1.LogOutResponse", codec: LogOutResponse, value: {} };
      await call.output.result(message, line`${name(profile.username)} is logged out of ${profile.address}.`);
    });
    return undefined;
  },
});
