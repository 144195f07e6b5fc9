// Whether this device knows its user's identity key independently of the server. A server that could choose the key
// could intercept chats unnoticed, because the safety number depends on it.
import type { ContactStore } from "./contacts.ts";
import type { OwnNames, Registered } from "./registration.ts";

/** How this device knows its user's identity key. */
export type OwnKeyStatus =
  /** This device has the private key. */
  | "held"
  /** The link code of this device was compared on the first device, and the key is still the one in that code. */
  | "linked"
  /** Only from the server. */
  | "unlinked"
  /** It is not the key that was created or linked on this device. */
  | "changed";

type Known = Pick<Registered, "keys" | "identityKey" | "holdsIdentity">;

export function ownKeyStatus(contacts: ContactStore, { username }: OwnNames, own: Known): OwnKeyStatus {
  if (own.holdsIdentity) return "held";
  // The user's key is stored as a contact with the user's own name. A server could introduce a peer with that name,
  // but a user cannot verify a contact with that name.
  const contact = contacts.get(username);
  const linked = contact?.verified === true ? contact.identityKey : undefined;
  if (linked === undefined) return own.keys.identity === undefined ? "unlinked" : "changed";
  return Buffer.compare(linked, own.identityKey ?? Buffer.alloc(0)) === 0 ? "linked" : "changed";
}

/** Stores the user's identity key after the link code of this device was compared. */
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
