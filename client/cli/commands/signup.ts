// parley signup: creates an account and starts its first session.

import { text } from "../../../command-line/flags.ts";
import { passwordFlag } from "../account/credentials.ts";
import { signUpAt } from "../account/sign-up.ts";
import { accountFlags, wantedOf } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";

export const command = defineCommand({
  forms: ["USER --invite CODE"],
  words: { least: 0, most: 1 },
  flags: {
    invite: text("CODE", "The invite, if the server requires one."),
    ...passwordFlag,
    ...accountFlags,
  },
  about: [
    "Asks for a new password on a terminal; a script uses --password-stdin. The server is trusted as in login.",
  ],
  json: "Grant: the session, the user and the device, without their secrets.",
  examples: ["rey --invite 7Qx… --server chat.example.org:12000"],
  run: async (call) => {
    const { words, values } = call;
    await signUpAt(call, {
      wanted: wantedOf(values),
      username: words[0] ?? values.as,
      invite: values.invite ?? "",
    });
    return undefined;
  },
});
