// parley verify: the code that two people compare, to know that nobody is in between.

import { toggle } from "../../../command-line/flags.ts";
import { acceptKeys, confirm, markShown, objectionTo, verificationOf } from "../../peer/keys/verification.ts";
import { withAccount } from "../account/with-account.ts";
import { acceptedWords, verificationWords } from "../chat/private/key-words.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { verifierOf } from "../private/session.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import { Styled } from "../terminal/text/style.ts";

export const command = defineCommand({
  forms: ["USER"],
  words: { least: 1, most: 1 },
  flags: {
    confirm: toggle("The codes are equal: from now on a private chat with any other key is stopped."),
    accept: toggle("Take a changed key, or a device that stopped a chat, without having compared codes."),
    ...accountFlags,
  },
  about: [
    "Prints 60 digits, which are the same at both ends if nobody is in between: compare them face to face or over a call. " +
      "They are the safety number of Signal (libsignal's numeric fingerprint, version 0, 5200 rounds of SHA-512), made " +
      "from both users' identity keys and ids and the server's id.",
  ],
  json: undefined,
  examples: ["yoda", "yoda --confirm"],
  run: async (call) => {
    if (call.json) throw usage("verify has no --json.");
    const [username = ""] = call.words;
    const { confirm: isConfirmed, accept: isAccepted } = call.values;
    if (isConfirmed === true && isAccepted === true) throw usage("It is either --confirm or --accept.");
    await withAccount(call, "changes", async (signedIn, context) => {
      if (username === signedIn.profile.username)
        throw new CommandError(Exit.REFUSED, "That is you: the code is one of two people.");
      const verifier = verifierOf(context, signedIn);
      const verification = await verificationOf(verifier, username);
      if (isAccepted === true) {
        const problem = acceptKeys(verifier.contacts, verification);
        if (problem === undefined)
          throw new CommandError(
            Exit.REFUSED,
            `There is nothing to accept: the key of ${username} is no other.`,
          );
        await call.output.line(Styled.of(acceptedWords(username, problem)));
        return;
      }
      for (const sentence of verificationWords(verification, call.environment.program)) {
        await call.output.line(Styled.of(sentence));
      }
      markShown(verifier.contacts, verification);
      if (isConfirmed !== true) return;
      const objection = objectionTo(verification);
      if (objection !== undefined) throw new CommandError(Exit.REFUSED, objection);
      confirm(verifier.contacts, verification);
      await call.output.line(Styled.of(`The key of ${username} is verified.`));
    });
    return undefined;
  },
});
