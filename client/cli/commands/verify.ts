// parley verify: prints the code that two users compare to detect an attacker between them.

import { toggle } from "../../../command-line/flags.ts";
import { acceptKeys, confirm, markShown, objectionTo, verificationOf } from "../../peer/keys/verification.ts";
import { namingUser } from "../account/naming-user.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { acceptedWords, codeWords, verificationWords } from "../private/key-words.ts";
import { verifierOf } from "../private/open-private-chats.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { Styled } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["USER"],
  words: { least: 1, most: 1 },
  flags: {
    confirm: toggle("The codes are equal: from now on, private chats with another key of USER are refused."),
    accept: toggle("Accept a changed key, or an unsigned device, without comparing codes."),
    ...accountFlags,
  },
  about: [
    "Prints 60 digits, which both users see if there is no attacker between them. Compare them face to face or over a " +
      "call. They are the safety number of Signal (libsignal's numeric fingerprint, version 0, 5200 rounds of SHA-512), " +
      "made from the identity keys and ids of both users and the id of the server.",
  ],
  json: undefined,
  examples: ["yoda", "yoda --confirm"],
  run: async (call) => {
    if (call.json) throw usage("verify has no --json.");
    const [username = ""] = call.words;
    const { confirm: isConfirmed, accept: isAccepted } = call.values;
    if (isConfirmed === true && isAccepted === true) throw usage("Use either --confirm or --accept.");
    await withAccount(call, "changes", async (signedIn, context) => {
      if (username === signedIn.profile.username)
        throw new CommandError(Exit.REFUSED, "That is you. A code is for two users.");
      const verifier = verifierOf(context, signedIn);
      const { account } = signedIn;
      const verification = await namingUser(account, username, () => verificationOf(verifier, username));
      if (isAccepted === true) {
        const problem = acceptKeys(verifier.contacts, verification);
        if (problem === undefined)
          throw new CommandError(
            Exit.REFUSED,
            `There is nothing to accept: the key of ${username} has not changed.`,
          );
        await call.output.line(Styled.of(acceptedWords(username, problem)));
        return;
      }
      const objection = isConfirmed === true ? objectionTo(verification) : undefined;
      const isDone = isConfirmed === true && objection === undefined;
      const words = isDone
        ? codeWords(verification)
        : verificationWords(verification, call.environment.program);
      for (const sentence of words) await call.output.line(Styled.of(sentence));
      markShown(verifier.contacts, verification);
      if (isConfirmed !== true) return;
      if (objection !== undefined) throw new CommandError(Exit.REFUSED, objection);
      confirm(verifier.contacts, verification);
      await call.output.line(Styled.of(`The key of ${username} is verified.`));
    });
    return undefined;
  },
});
