// /verify: shows the code of a user, confirms it, or accepts a changed key.
import {
  acceptKeys,
  confirm,
  markShown,
  objectionTo,
  type Verification,
  verificationOf,
} from "../../../peer/keys/verification.ts";
import { acceptedWords, openChatWords, verificationWords } from "../../private/key-words.ts";
import { refuse } from "../command/chat-command.ts";
import type { PrivateLink } from "../model/private-link.ts";
import { hasRequestFrom, isOpenOrStarting } from "./chat-lookup.ts";

export interface VerifyUserOptions {
  readonly chats: PrivateLink;
  /** The user's own name. */
  readonly me: string;
  answer(lines: readonly string[]): void;
}

/** @throws CommandError if that cannot be done; RpcError, ConnectError */
export async function verifyUser(
  { chats, me, answer }: VerifyUserOptions,
  username: string,
  what: "show" | "confirm" | "accept",
): Promise<void> {
  if (username === me) throw refuse("You cannot verify yourself: a code belongs to two users.");
  const verification = await verificationOf(chats, username);
  const objection = what === "confirm" ? objectionTo(verification) : undefined;
  if (what === "show" || objection !== undefined) {
    const open = chats.openChats.find((chat) => chat.username === username);
    const warnings = open === undefined ? [] : openChatWords(open, verification);
    answer([...verificationWords(verification, undefined), ...warnings]);
    markShown(chats.contacts, verification);
    if (objection !== undefined) throw refuse(objection);
  } else if (what === "confirm") {
    confirm(chats.contacts, verification);
    answer([`The key of ${username} is verified. A private chat with any other key is stopped.`]);
    // An open chat with another key is stopped, too.
    chats.recheckKeys(username);
  } else answer([acceptChangedKeys(chats, username, verification)]);
}

/** @returns the sentence that reports it. @throws CommandError if no key has changed */
function acceptChangedKeys(chats: PrivateLink, username: string, verification: Verification): string {
  const problem = chats.acceptKeys(username) ?? acceptKeys(chats.contacts, verification);
  if (problem === undefined) {
    throw refuse(`There is nothing to accept: ${username} has not used another key.`);
  }
  // Lines that waited for the answer are sent now.
  chats.recheckKeys(username);
  return acceptedWords(username, problem) + nextStep(chats, username);
}

/** The next step, if any: a user who has requested a chat, or with whom one is open, cannot be asked for one. */
function nextStep(chats: PrivateLink, username: string): string {
  if (hasRequestFrom(chats, username)) return ` To accept the request: /accept ${username}`;
  return isOpenOrStarting(chats, username) ? "" : " Ask for the private chat again.";
}
