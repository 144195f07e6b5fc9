// Making sure that nobody is in between: the code that two people compare, and what is remembered once they have.
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import { safetyNumber } from "./codes.ts";
import { type Contact, type ContactStore, type KeyProblem, withDevice } from "./contacts.ts";
import { type OwnKeyStatus, ownKeyStatus } from "./own-identity.ts";
import type { OwnNames, Registered } from "./registration.ts";

/** A device, and what is remembered on it. */
export interface Verifier {
  /** The calls of the log-in. */
  readonly calls: PrivateCalls;
  /** What is remembered of others. */
  readonly contacts: ContactStore;
  /** Whose device this is. */
  readonly names: OwnNames;
  /** Registers this device, if that was not done yet. */
  register(): Promise<Registered>;
}

/** A code as it can be compared now. */
export interface Verification {
  /** Whose key it is. */
  readonly user: User;
  /** The identity key that the code is about. */
  readonly identityKey: Uint8Array;
  /** 60 digits in groups of five; see codes.ts. */
  readonly code: string;
  /** What is remembered of the key: nothing, that it is this one, or that it was another. */
  readonly standing: "new" | "known" | "verified" | "changed";
  /** Since when the remembered key is known. */
  readonly since: Date | undefined;
  /** This code is the one that was shown last. */
  readonly isShown: boolean;
  /** What the own key in the code rests on: a code with one that only the server knows proves nothing. */
  readonly own: OwnKeyStatus;
}

/** @throws RpcError IDENTITY_NOT_FOUND, USER_NOT_FOUND; ConnectError */
export async function verificationOf(
  verifier: Omit<Verifier, "calls"> & { readonly calls: Pick<PrivateCalls, "getIdentity"> },
  username: string,
): Promise<Verification> {
  const { calls, contacts, names } = verifier;
  const registered = await verifier.register();
  const { identityKey: ownKey } = registered;
  const { user, key } = await calls.getIdentity(username);
  if (user?.username !== username || ownKey === undefined) {
    throw new Error("The server's answer lacks an identity, or is about somebody else.");
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

/** A person sees the code. */
export function markShown(contacts: ContactStore, { user, code }: Verification): void {
  const { userId, username } = user;
  const contact = contacts.get(username) ?? newContact(userId, username, Buffer.alloc(0));
  contacts.save({ ...contact, shownCode: code });
}

/** Why the code cannot be confirmed; undefined where it can. */
export function objectionTo({ user, own, isShown }: Verification): string | undefined {
  if (own === "changed")
    return "Your own identity key is not the one that this device knows: link this device first.";
  if (own === "unlinked") return "This device is not linked to your first one: link it first.";
  if (!isShown)
    return `It is not the code that was shown last: compare this one with what ${user.username} sees.`;
  return undefined;
}

/** The two people compared the codes, and they are equal. */
export function confirm(contacts: ContactStore, verification: Verification): void {
  contacts.save({ ...withKey(contacts, verification), verified: true });
}

/**
 * A person takes what came up for the user's, without having compared codes: a changed key, or a device that stopped a chat
 * since nobody vouches for it.
 * @returns what was accepted; undefined where nothing is wrong
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
