// parley join: signs up with an invite link, or sets a new password with a reset link.

import { passwordFlag } from "../account/credentials.ts";
import { readPersonalLink } from "../account/invite-link.ts";
import { resetPasswordAt } from "../account/reset-password.ts";
import type { SignInContext } from "../account/sign-in.ts";
import { signUpAt } from "../account/sign-up.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { commandLine } from "../process/quoted-command-line.ts";

const { as } = accountFlags;

export const command = defineCommand({
  forms: ["LINK [USER]"],
  words: { least: 1, most: 2 },
  flags: { ...passwordFlag, as: { ...as, help: "The user name, as the second word." } },
  about: [
    "The link has the server's address, the invite and the server's key, so the key needs no other check. The server's " +
      "operator makes a link with parley-server invite create. Asks for a user name and a new password.",
    "The link of parley-server user reset sets a new password in place of a forgotten one, and logs in. It takes no USER.",
  ],
  json: "Grant: the session, the user and the device, without their secrets.",
  examples: ["chat.example.org:12000/7Qx…/SHA256:… rey"],
  run: async (call) => {
    const { words, values, environment } = call;
    const { address, kind, secret, fingerprint } = readPersonalLink(words[0] ?? "");
    const wanted = {
      server: address,
      ...(fingerprint === undefined ? { plaintext: true } : { fingerprint }),
    };
    const username = words[1] ?? values.as;
    const retry =
      kind === "reset" ? ["login", "--server", address] : ["signup", "--invite", secret, "--server", address];
    const check = ({ state }: SignInContext): void => {
      // An attacker can write a link, so it does not replace the key of a known server.
      const known = state.servers.find(address)?.trust;
      if (known?.kind !== "pin" || fingerprint === undefined || known.fingerprint === fingerprint) return;
      throw new CommandError(Exit.CANNOT_CONNECT, [
        `STOP: the key in the link is not the known key of the server at ${address}. Nothing was sent.`,
        `  known:    ${known.fingerprint}`,
        `  in link:  ${fingerprint}`,
        "The link may be an attacker's, or the server was set up anew. Ask its operator. If the key in the link is right, run:",
        `  ${commandLine(environment.program, ...retry, "--fingerprint", fingerprint)}`,
      ]);
    };
    if (kind === "invite") {
      await signUpAt(call, { wanted, username, invite: secret, check });
      return undefined;
    }
    if (username !== undefined) {
      throw usage("This link sets a new password of the user for whom it was made. Leave out the user name.");
    }
    await resetPasswordAt(call, { wanted, secret, check });
    return undefined;
  },
});
