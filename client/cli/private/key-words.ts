// The sentences about keys in private chats: warnings, the code to compare, and what to do next.
import type { OpenChatInfo } from "../../peer/chats/chat-locations.ts";
import type { KeyProblemError } from "../../peer/chats/context.ts";
import type { ChatOpened } from "../../peer/chats/events.ts";
import type { KeyCheck, KeyProblem } from "../../peer/keys/contacts.ts";
import type { OwnKeyStatus } from "../../peer/keys/own-identity.ts";
import type { Verification } from "../../peer/keys/verification.ts";

/**
 * The verify command as the user types it: "/verify yoda" in the chat, "parley verify yoda" in a shell.
 * `program` is the name of the program in a shell; undefined in the chat.
 */
function verifyCommand(program: string | undefined, username: string): string {
  return `${program === undefined ? "/" : `${program} `}verify ${username}`;
}

/** Sentences about the keys of a peer; none if they are as expected. `program`: as for verificationWords. */
export function keyWords(
  { username, keyCheck, holds }: Pick<ChatOpened, "username" | "keyCheck" | "holds">,
  program?: string,
): string[] {
  if (keyCheck.standing !== "new" || keyCheck.problem !== undefined) {
    const warnings = problemWords(username, keyCheck, program);
    if (program !== undefined || !holds) return warnings;
    const held =
      `What you write to ${username} waits until you answer. To send it: /verify ${username} --accept. To end the chat: ` +
      `/stopprivate ${username}`;
    return [...warnings, held];
  }
  const verify = verifyCommand(program, username);
  return [
    `This is the first private chat with ${username} on this device. To make sure that it is ${username}: ${verify}`,
  ];
}

/** Warnings about a changed key or an unsigned device. `program`: as for verificationWords. */
export function problemWords(username: string, { problem, stops }: KeyCheck, program?: string): string[] {
  const verify = verifyCommand(program, username);
  switch (problem) {
    case "changed": {
      const warning =
        `WARNING: the identity key of ${username} has changed: ${username} has made a new one, or an attacker is in ` +
        `between. To see the code to compare: ${verify}`;
      const next = `No private chat starts until you confirm the code, or accept the new key without comparing: ${verify} --accept`;
      return stops ? [warning, next] : [warning];
    }
    case "unsigned": {
      const warning =
        `WARNING: this device is not signed by the identity key of ${username}: it may be a new device that ${username} ` +
        "has not linked yet, or belong to an attacker.";
      const next = `No private chat with it starts until ${username} links it, or you accept it without that: ${verify} --accept`;
      return stops ? [warning, next] : [warning];
    }
    case "unknown":
      return [`This device does not know the key of ${username}.`];
    case "unverified":
      return [`The key of ${username} is not verified.`];
    case undefined:
      return [];
  }
}

/** Explains that a chat was not started because of a key. `program`: as for verificationWords. */
export function keyProblemWords(
  { message, username, problem }: KeyProblemError,
  program: string | undefined,
): string {
  return `STOP: ${message} ${nextWords(username, problem, program)}`;
}

/** Explains that an open chat was ended because of a key. `program`: as for verificationWords. */
export function distrustWords(username: string, problem: KeyProblem, program: string | undefined): string {
  const whats: Record<KeyProblem, string> = {
    changed: "used another key than the one that you verified",
    unsigned: "used a device that is not signed by the key that you verified",
    unknown: "used a key that this device does not know",
    unverified: "used a key that is not verified",
  };
  return `STOP: the private chat with ${username} ${whats[problem]}, so it was ended. ${nextWords(username, problem, program)}`;
}

function nextWords(username: string, problem: KeyProblem, program: string | undefined): string {
  const verify = verifyCommand(program, username);
  if (problem === "unknown" || problem === "unverified")
    return `Compare the codes: ${verify}. If they are equal: ${verify} --confirm`;
  return problem === "changed"
    ? `Contact ${username} in another way and compare the codes: ${verify}. ` +
        `To accept the new key without comparing: ${verify} --accept`
    : `Contact ${username} in another way: a new device has to be linked. ` +
        `To accept this device without that: ${verify} --accept`;
}

/** Reports that the user accepted a changed key or an unsigned device. */
export function acceptedWords(username: string, problem: KeyProblem): string {
  return problem === "changed"
    ? `The key of ${username} is accepted but not verified.`
    : `The device of ${username} is accepted, although the key of ${username} has not signed it.`;
}

/** Warnings if the open chat does not use the key of the code that is shown. */
export function openChatWords(
  { username, peer }: OpenChatInfo,
  { identityKey }: Pick<Verification, "identityKey">,
): string[] {
  if (Buffer.compare(peer.identityKey, identityKey) !== 0)
    return [`WARNING: the open private chat with ${username} uses another key than this code.`];
  return peer.signed
    ? []
    : [`WARNING: the open private chat with ${username} uses a device that is not signed by this key.`];
}

/** The code of a user. */
export function codeWords({ user, code }: Pick<Verification, "user" | "code">): string[] {
  const groups = code.split(" ");
  const rows = [0, 4, 8].map((at) => `  ${groups.slice(at, at + 4).join("  ")}`);
  return [`Your code with ${user.username}:`, ...rows];
}

/**
 * The code of a user and what to do with it.
 * @param program the name of the program in a shell; undefined in the chat, where commands begin with a slash
 */
export function verificationWords(
  { user, code, standing, since, own }: Verification,
  program: string | undefined,
): string[] {
  const { username } = user;
  const known = since === undefined ? "knows" : `has known since ${since.toISOString().slice(0, 10)}`;
  const words: Record<Verification["standing"], string> = {
    new: `This device did not know a key of ${username} before.`,
    known: `This is the key of ${username} that this device ${known}. It is not verified.`,
    verified: `This key of ${username} is verified.`,
    changed: `WARNING: this is not the key of ${username} that this device ${known}.`,
  };
  return [...codeWords({ user, code }), words[standing], comparisonWords(own, username, program)];
}

/** What to do with the code. Comparing it proves something only if the user's own key is certain. */
function comparisonWords(own: OwnKeyStatus, username: string, program: string | undefined): string {
  const how = `the code with the one that ${username} sees, in person or in a call`;
  // Devices can be linked only in a shell.
  const link = `${program ?? "parley"} devices link`;
  switch (own) {
    case "unlinked":
      return (
        `This device is not linked to your first device, so ${username} sees a warning and the code proves nothing yet. ` +
        `First run: ${link}. Then compare ${how}.`
      );
    case "changed":
      return (
        "WARNING: the code contains an identity key that is not yours on this device: you have made a new one, or an " +
        `attacker is in between. To find out, first run: ${link} on this device, and enter its code on your first device. ` +
        `Then compare ${how}.`
      );
    default:
      return `Compare ${how}. If they are equal: ${verifyCommand(program, username)} --confirm`;
  }
}
