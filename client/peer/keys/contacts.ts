// What is remembered of the keys of other users, and what a key that comes up means by it.
import type { PeerDevice } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { fingerprintOfDer, isVouchedFor } from "./keys.ts";

/** One user whose identity key was seen. */
export interface Contact {
  /** The user's id, as the server gave it. */
  readonly userId: string;
  /** The user's name. */
  readonly username: string;
  /** 32 bytes. Empty: the user had none. */
  readonly identityKey: Uint8Array;
  /** Since when this key is known. */
  readonly since: Date;
  /** A person compared the codes: from then on a key that is not expected stops the chat. */
  readonly verified: boolean;
  /** Fingerprints of devices that nobody vouches for, and that a person accepted. */
  readonly acceptedDevices: readonly string[];
  /** Private chats with this user are accepted without asking; a path where the person chose one with it. */
  readonly always: "ask" | "direct" | "relay";
  /** The code that was shown last: a person confirms that one, and no other. */
  readonly shownCode?: string;
  /** Fingerprint of the device that nobody vouches for and that stopped a chat last: a person may accept it. */
  readonly stoppedDevice?: string;
}

/**
 * By user name: names are never given to anybody else on one server, and if the server is another one all of a sudden,
 * the name is what the person goes by.
 */
export interface ContactStore {
  /** What is remembered of the user of that name. */
  get(username: string): Contact | undefined;
  /** Remembers it, in place of what was. */
  save(contact: Contact): void;
}

/** For programs that start afresh each time. */
export class MemoryContacts implements ContactStore {
  readonly #contacts = new Map<string, Contact>();

  /** What is remembered of the user of that name. */
  get(username: string): Contact | undefined {
    return this.#contacts.get(username);
  }

  /** Remembers it, in place of what was. */
  save(contact: Contact): void {
    this.#contacts.set(contact.username, contact);
  }
}

/** The other end of an introduction, as its keys say. */
export interface PeerKeys {
  /** The user's id, as the server gave it. */
  readonly userId: string;
  /** The user's name. */
  readonly username: string;
  /** The user's identity key, 32 bytes; empty where the user has none. */
  readonly identityKey: Uint8Array;
  /** The device's id. */
  readonly deviceId: string;
  /** What its person calls it; a label, and no proof. */
  readonly deviceName: string;
  /** Of the key that the device has to prove. */
  readonly fingerprint: string;
  /** The identity key vouches for the device. */
  readonly signed: boolean;
}

/** Undefined where the server's words name no user, or no key. */
export function readPeer(serverId: string, peer: PeerDevice | undefined): PeerKeys | undefined {
  const { user, device, identityKey } = peer ?? {};
  const fingerprint = device && fingerprintOfDer(device.certificate);
  // No server gives out a name with a control character: it would be made to look like more than a name.
  if (user === undefined || user.userId === "" || !/^\P{Cc}+$/u.test(user.username)) return undefined;
  if (device === undefined || fingerprint === undefined || identityKey === undefined) return undefined;
  const { userId, username } = user;
  const { deviceId, deviceName, signature } = device;
  const statement = { serverId, userId, deviceId, fingerprint };
  const signed = isVouchedFor(identityKey, statement, signature);
  return { userId, username, identityKey, deviceId, deviceName, fingerprint, signed };
}

/** What is not as expected of a user's keys. */
export type KeyProblem =
  /** The identity key is another one than before. */
  | "changed"
  /** The identity key does not vouch for the device. */
  | "unsigned";

/** What the keys that came up mean by what is remembered. */
export interface KeyCheck {
  /** Whether the user was never met, is known, or was verified. */
  readonly standing: "new" | "known" | "verified";
  /** What is not as expected; undefined where nothing is. */
  readonly problem: KeyProblem | undefined;
  /** A person has to accept the problem before anything is said. */
  readonly stops: boolean;
}

/** What the keys mean by what is remembered. */
export function checkKeys(contact: Contact | undefined, peer: PeerKeys): KeyCheck {
  const standing = isNewTo(contact, peer) ? "new" : contact?.verified === true ? "verified" : "known";
  const problem = problemOf(contact, peer);
  return { standing, problem, stops: problem !== undefined && standing === "verified" };
}

/** Nothing is remembered that these keys could be held against. */
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

/** The contact once a chat with these keys has begun, the problem having been told. */
export function remembered(contact: Contact | undefined, peer: PeerKeys, now: Date): Contact {
  const { userId, username, identityKey } = peer;
  const isNew = contact === undefined || checkKeys(contact, peer).problem === "changed";
  const hadNone = contact?.identityKey.length === 0 && identityKey.length > 0;
  return {
    userId,
    username,
    identityKey: identityKey.length === 0 ? (contact?.identityKey ?? identityKey) : identityKey,
    since: isNew || hadNone ? now : contact.since,
    verified: isNew ? false : contact.verified,
    acceptedDevices: isNew ? [] : contact.acceptedDevices,
    // Whoever has another key is not the one whom the person trusted to come in.
    always: isNew || isNewTo(contact, peer) ? "ask" : contact.always,
    ...(contact?.shownCode === undefined ? {} : { shownCode: contact.shownCode }),
    ...(isNew || contact.stoppedDevice === undefined ? {} : { stoppedDevice: contact.stoppedDevice }),
  };
}

/** The contact once a person has accepted the problem: a changed key is known but not verified. */
export function accepted(contact: Contact | undefined, peer: PeerKeys, now: Date): Contact {
  const after = remembered(contact, peer, now);
  return peer.signed ? after : withDevice(after, peer.fingerprint);
}

/** The contact once a person has accepted a device that nobody vouches for. */
export function withDevice(contact: Contact, fingerprint: string): Contact {
  const { acceptedDevices, stoppedDevice, ...rest } = contact;
  const isKnown = acceptedDevices.includes(fingerprint);
  return {
    ...rest,
    acceptedDevices: isKnown ? acceptedDevices : [...acceptedDevices, fingerprint],
    ...(stoppedDevice === undefined || stoppedDevice === fingerprint ? {} : { stoppedDevice }),
  };
}
