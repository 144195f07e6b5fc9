// The own identity key, as far as this device knows it by itself: a server that could choose it would stand in between
// unseen, since both people's codes are made from it.
import type { ContactStore } from "./contacts.ts";
import type { OwnNames, Registered } from "./registration.ts";

/** What this device knows of its user's identity key by itself. */
export type OwnKeyStatus =
  /** Its private half is here. */
  | "held"
  /** The person typed this device's code at the first one, and the key is still the one in that code. */
  | "linked"
  /** The server alone says so. */
  | "unlinked"
  /** It is not the one that was made here, or linked. */
  | "changed";

type Known = Pick<Registered, "keys" | "identityKey" | "holdsIdentity">;

export function ownKeyStatus(contacts: ContactStore, { username }: OwnNames, own: Known): OwnKeyStatus {
  if (own.holdsIdentity) return "held";
  // Remembered as the key of a contact is. A server could introduce somebody by the own name, but nobody verifies that.
  const contact = contacts.get(username);
  const linked = contact?.verified === true ? contact.identityKey : undefined;
  if (linked === undefined) return own.keys.identity === undefined ? "unlinked" : "changed";
  return Buffer.compare(linked, own.identityKey ?? Buffer.alloc(0)) === 0 ? "linked" : "changed";
}

/** This device's code, in which the key is, was compared. */
export function rememberLink(contacts: ContactStore, names: OwnNames, identityKey: Uint8Array): void {
  const { userId, username } = names;
  contacts.save({
    userId,
    username,
    identityKey,
    since: new Date(),
    verified: true,
    acceptedDevices: [],
    always: "ask",
  });
}
