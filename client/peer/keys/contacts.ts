// The stored keys of other users, and the check of presented keys against them.
import type { PeerDevice } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { fingerprintOfDer, isSignedBy } from "./keys.ts";

/** The stored keys of another user. */
export interface Contact {
  /** The user's id, from the server. */
  readonly userId: string;
  /** The user's name. */
  readonly username: string;
  /** The identity key, 32 bytes; empty if the user had none. */
  readonly identityKey: Uint8Array;
  /** When this key was first stored. */
  readonly since: Date;
  /** A person compared the safety numbers. From then on an unexpected key stops a chat. */
  readonly verified: boolean;
  /** Fingerprints of devices that the identity key does not sign and that a person accepted. */
  readonly acceptedDevices: readonly string[];
  /** Fingerprints of unsigned devices with which a chat has opened before: they are not new to the person. */
  readonly seenDevices?: readonly string[];
  /** Whether requests of this user are accepted without a question, and on which path. */
  readonly always: "ask" | "direct" | "relay";
  /** The safety number that was shown last: only this one can be confirmed. */
  readonly shownCode?: string;
  /** The fingerprint of the last unsigned device that stopped a chat; a person may accept it. */
  readonly stoppedDevice?: string;
}

/**
 * Stores contacts by user name. A server never gives a name to another user, and if the server's data is replaced, the
 * name is what a person still recognises.
 */
export interface ContactStore {
  /** The contact of that name. */
  get(username: string): Contact | undefined;
  /** Stores the contact, replacing the previous one. */
  save(contact: Contact): void;
}

/** Contacts in memory, for programs that keep no state. */
export class MemoryContacts implements ContactStore {
  readonly #contacts = new Map<string, Contact>();

  /** The contact of that name. */
  get(username: string): Contact | undefined {
    return this.#contacts.get(username);
  }

  /** Stores the contact, replacing the previous one. */
  save(contact: Contact): void {
    this.#contacts.set(contact.username, contact);
  }
}

/** The keys of the other device of an introduction. */
export interface PeerKeys {
  /** The user's id, from the server. */
  readonly userId: string;
  /** The user's name. */
  readonly username: string;
  /** The user's identity key, 32 bytes; empty if the user has none. */
  readonly identityKey: Uint8Array;
  /** The device's id. */
  readonly deviceId: string;
  /** The name that its user gave it; it is not verified. */
  readonly deviceName: string;
  /** The fingerprint of the key that the device must prove that it has. */
  readonly fingerprint: string;
  /** The identity key signs the device's key. */
  readonly signed: boolean;
}

/** Converts the server's message; undefined if it has no user or no key. */
export function readPeer(serverId: string, peer: PeerDevice | undefined): PeerKeys | undefined {
  const { user, device, identityKey } = peer ?? {};
  const fingerprint = device && fingerprintOfDer(device.certificate);
  // A name with a control character could imitate other output. No correct server sends one.
  if (user === undefined || user.userId === "" || !/^\P{Cc}+$/u.test(user.username)) return undefined;
  if (device === undefined || fingerprint === undefined || identityKey === undefined) return undefined;
  const { userId, username } = user;
  const { deviceId, deviceName, signature } = device;
  const statement = { serverId, userId, deviceId, fingerprint };
  const signed = isSignedBy(identityKey, statement, signature);
  return { userId, username, identityKey, deviceId, deviceName, fingerprint, signed };
}

/** What is wrong with a user's keys. */
export type KeyProblem =
  /** The identity key is not the stored one. */
  | "changed"
  /** The identity key does not sign the device's key. */
  | "unsigned"
  /** The key is new, and the program admits only known keys. */
  | "unknown"
  /** The key is not verified, and the program admits only verified keys. */
  | "unverified";

/** Which keys a program admits. */
export interface KeyPolicy {
  /** "known": a key that is stored already; "verified": a key that a person has verified. Default: anyone. */
  readonly admits?: "anyone" | "known" | "verified";
  /**
   * Whether a person can answer the warning about a known contact's changed key or unsigned device: own lines wait for the
   * answer. If false, such a chat does not open. Default true.
   */
  readonly canAsk?: boolean;
}

/** The result of checking presented keys against the stored ones. */
export interface KeyCheck {
  /** Whether the user has no stored key, a stored one, or a verified one. */
  readonly standing: "new" | "known" | "verified";
  /** What is wrong; undefined if nothing is. */
  readonly problem: KeyProblem | undefined;
  /** A person has to accept the problem before a chat can open. */
  readonly stops: boolean;
}

/** Checks presented keys against the stored contact. */
export function checkKeys(
  contact: Contact | undefined,
  peer: PeerKeys,
  { admits = "anyone", canAsk = true }: KeyPolicy = {},
): KeyCheck {
  const standing = isNewTo(contact, peer) ? "new" : contact?.verified === true ? "verified" : "known";
  const problem = problemOf(contact, peer) ?? notAdmitted(standing, admits);
  const isStrict =
    standing === "verified" || admits !== "anyone" || (!canAsk && isSurprise(contact, peer, standing));
  return { standing, problem, stops: problem !== undefined && isStrict };
}

function notAdmitted(standing: KeyCheck["standing"], admits: KeyPolicy["admits"]): KeyProblem | undefined {
  if (admits === "known" && standing === "new") return "unknown";
  return admits === "verified" && standing !== "verified" ? "unverified" : undefined;
}

/**
 * Whether own lines wait until a person has accepted the keys: those of a known contact are not as expected. Otherwise
 * lines that were queued or piped would be sent to an attacker in the moment of the warning.
 */
export function holdsLines(contact: Contact | undefined, peer: PeerKeys, check: KeyCheck): boolean {
  return !check.stops && isSurprise(contact, peer, check.standing);
}

/** Whether a known contact uses another key than before, or an unsigned device that was not seen before. */
function isSurprise(contact: Contact | undefined, peer: PeerKeys, standing: KeyCheck["standing"]): boolean {
  if (standing !== "known") return false;
  const problem = problemOf(contact, peer);
  return (
    problem === "changed" ||
    (problem === "unsigned" && contact?.seenDevices?.includes(peer.fingerprint) !== true)
  );
}

/** Whether nothing is stored that these keys could be compared with. */
function isNewTo(contact: Contact | undefined, { fingerprint }: PeerKeys): boolean {
  if (contact === undefined) return true;
  return contact.identityKey.length === 0 && !contact.acceptedDevices.includes(fingerprint);
}

function problemOf(contact: Contact | undefined, peer: PeerKeys): KeyProblem | undefined {
  if (contact !== undefined && contact.identityKey.length > 0 && peer.identityKey.length > 0) {
    if (Buffer.compare(contact.identityKey, peer.identityKey) !== 0) return "changed";
  }
  if (peer.signed || contact?.acceptedDevices.includes(peer.fingerprint) === true) return undefined;
  return "unsigned";
}

/** The contact to store when a chat with these keys opens and the person was shown the problem, if any. */
export function remembered(contact: Contact | undefined, peer: PeerKeys, now: Date): Contact {
  const { userId, username, identityKey } = peer;
  const isNew = contact === undefined || checkKeys(contact, peer).problem === "changed";
  const hadNone = contact?.identityKey.length === 0 && identityKey.length > 0;
  const isFirst = isNewTo(contact, peer) && !peer.signed;
  const seenDevices = isFirst ? [peer.fingerprint] : isNew ? undefined : contact.seenDevices;
  return {
    userId,
    username,
    identityKey: identityKey.length === 0 ? (contact?.identityKey ?? identityKey) : identityKey,
    since: isNew || hadNone ? now : contact.since,
    verified: isNew ? false : contact.verified,
    acceptedDevices: isNew ? [] : contact.acceptedDevices,
    ...(seenDevices === undefined ? {} : { seenDevices }),
    // The person allowed the user with the old key, not the one with the new key.
    always: isNew || isNewTo(contact, peer) ? "ask" : contact.always,
    ...(contact?.shownCode === undefined ? {} : { shownCode: contact.shownCode }),
    ...(isNew || contact.stoppedDevice === undefined ? {} : { stoppedDevice: contact.stoppedDevice }),
  };
}

/** The contact to store when a person has accepted the problem: a changed key is known, but not verified. */
export function accepted(contact: Contact | undefined, peer: PeerKeys, now: Date): Contact {
  const after = remembered(contact, peer, now);
  return peer.signed ? after : withDevice(after, peer.fingerprint);
}

/** The contact to store when a person has accepted an unsigned device. */
export function withDevice(contact: Contact, fingerprint: string): Contact {
  const { acceptedDevices, stoppedDevice, ...rest } = contact;
  const isKnown = acceptedDevices.includes(fingerprint);
  return {
    ...rest,
    acceptedDevices: isKnown ? acceptedDevices : [...acceptedDevices, fingerprint],
    ...(stoppedDevice === undefined || stoppedDevice === fingerprint ? {} : { stoppedDevice }),
  };
}
