// The user's settings for private chats, and the rule of which requests are accepted without asking.
import type { Contact, KeyCheck } from "../../peer/keys/contacts.ts";
import type { PrivateLines } from "../../state/private-lines.ts";

export interface PrivateSettings {
  /** How to answer requests: ask the user; accept users with known keys, ask about others; accept all; refuse all. */
  readonly answer: "ask" | "contacts" | "accept" | "refuse";
  /** The allowed path; "auto": the user decides for each chat. */
  readonly path: "direct" | "relay" | "auto";
  /** Where the lines of this run are kept; undefined if they are not kept. */
  readonly lines: Pick<PrivateLines, "add" | "last"> | undefined;
  /** Lines kept by this run or earlier ones. */
  readonly kept?: Pick<PrivateLines, "last">;
}

/** The path that the user chose for one chat. */
export type PathChoice = "direct" | "relay";

/** Whether a request is accepted without asking the user: by the setting, or because this user is always accepted. */
export function isAutoAccepted(
  answer: PrivateSettings["answer"],
  { standing, problem, stops }: KeyCheck,
  always: Contact["always"],
): boolean {
  if (stops || answer === "refuse") return false;
  if (answer === "accept") return true;
  // A changed key may belong to someone other than the person whom the user accepted.
  return problem === undefined && standing !== "new" && (always !== "ask" || answer === "contacts");
}
