// Verification of another user's key: the safety number that two people compare, and the result that is stored.
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { safetyNumber } from "./codes.ts";
import { type Contact, type ContactStore, type KeyProblem, withDevice } from "./contacts.ts";
import { type OwnKeyStatus, ownKeyStatus } from "./own-identity.ts";
import type { OwnNames, Registered } from "./registration.ts";

/** What verification needs from this device; a `PrivateChats` has it. */
export interface Verifier {
  /** The calls of the session. */
  readonly calls: PrivateCalls;
  /** The stored keys of other users. */
  readonly contacts: ContactStore;
  /** The user and the device. */
  readonly names: OwnNames;
  /** Registers this device. */
  register(): Promise<Registered>;
}

/** A safety number, and what is stored about the key. */
export interface Verification {
  /** The other user. */
  readonly user: User;
  /** The other user's identity key, from the server. */
  readonly identityKey: Uint8Array;
  /** The safety number: 60 digits in groups of five. */
  readonly code: string;
  /**
   * How the key compares with the stored one: none is stored, it is the same, it is the same and verified, or it
   * differs.
   */
  readonly standing: "new" | "known" | "verified" | "changed";
  /** When the stored key was first stored. */
  readonly since: Date | undefined;
  /** This safety number is the one that was shown last. */
  readonly isShown: boolean;
  /**
   * How this device knows its user's key. A safety number with a key that only the server vouches for proves nothing.
   */
  readonly own: OwnKeyStatus;
}

/**
 * Fetches the user's key and computes the safety number.
 * @throws RpcError IDENTITY_NOT_FOUND, USER_NOT_FOUND; ConnectError
 */
export async function verificationOf(
  verifier: Omit<Verifier, "calls"> & { readonly calls: Pick<PrivateCalls, "getIdentity"> },
  username: string,
): Promise<Verification> {
  const { calls, contacts, names } = verifier;
  const registered = await verifier.register();
  const { identityKey: ownKey } = registered;
  const { user, key } = await calls.getIdentity(username);
  if (user?.username !== username || ownKey === undefined) {
    throw new Error("The server's answer has no identity, or is about another user.");
  }
  const me = { userId: names.userId, identityKey: ownKey };
  const code = safetyNumber(names.serverId, me, { userId: user.userId, identityKey: key });
  const contact = contacts.get(username);
  return {
    user,
    identityKey: key,
    code,
    standing: standingOf(contact, key),
    since: contact?.since,
    isShown: contact?.shownCode === code,
    own: ownKeyStatus(contacts, names, registered),
  };
}

/** Stores that the safety number was shown to a person. */
export function markShown(contacts: ContactStore, { user, code }: Verification): void {
  const { userId, username } = user;
  const contact = contacts.get(username) ?? newContact(userId, username, Buffer.alloc(0));
  contacts.save({ ...contact, shownCode: code });
}

/** Why the safety number cannot be confirmed; undefined if it can. */
export function objectionTo({ user, own, isShown }: Verification): string | undefined {
  if (own === "changed")
    return "Your own identity key is not the one that this device has stored: link this device first.";
  if (own === "unlinked") return "This device is not linked to your first device: link it first.";
  if (!isShown)
    return `The code has changed since it was shown. Compare the new one with the code that ${user.username} sees.`;
  return undefined;
}

/** Stores that two people compared the safety numbers and found them equal. */
export function confirm(contacts: ContactStore, verification: Verification): void {
  contacts.save({ ...withKey(contacts, verification), verified: true });
}

/**
 * Accepts a changed key, or the last unsigned device that stopped a chat, as a person decided without a comparison.
 * @returns what was accepted; undefined if nothing is wrong
 */
export function acceptKeys(contacts: ContactStore, verification: Verification): KeyProblem | undefined {
  if (verification.standing === "changed") {
    contacts.save(withKey(contacts, verification));
    return "changed";
  }
  const contact = contacts.get(verification.user.username);
  if (contact?.stoppedDevice === undefined) return undefined;
  contacts.save(withDevice(contact, contact.stoppedDevice));
  return "unsigned";
}

function standingOf(contact: Contact | undefined, key: Uint8Array): Verification["standing"] {
  if (contact === undefined || contact.identityKey.length === 0) return "new";
  if (Buffer.compare(contact.identityKey, key) !== 0) return "changed";
  return contact.verified ? "verified" : "known";
}

function withKey(contacts: ContactStore, { user, identityKey, standing }: Verification): Contact {
  const contact = contacts.get(user.username);
  if (contact !== undefined && (standing === "known" || standing === "verified")) return contact;
  return newContact(user.userId, user.username, identityKey);
}

function newContact(userId: string, username: string, identityKey: Uint8Array): Contact {
  const since = new Date();
  return { userId, username, identityKey, since, verified: false, acceptedDevices: [], always: "ask" };
}
