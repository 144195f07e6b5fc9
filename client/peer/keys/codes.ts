// Codes that people compare: the safety number of two users, and the link code of a new device.
import { createHash } from "node:crypto";

/** One user of a private chat. */
export interface CodeParty {
  /** The user's id, from the server. */
  readonly userId: string;
  /** The user's identity key, 32 bytes. */
  readonly identityKey: Uint8Array;
}

/**
 * Rounds of SHA-512, as many as in libsignal. With them the search for another key with a given 30-digit half costs
 * more than 2^112 hashes.
 */
const ROUNDS = 5_200;

/**
 * The safety number of two users: 60 digits in twelve groups of five, the same on both devices. It is the "numeric
 * fingerprint", version 0, of libsignal
 * (https://github.com/signalapp/libsignal/blob/main/rust/protocol/src/fingerprint.rs), with the identity key as key and
 * the UTF-8 text "SERVER_ID USER_ID" as stable id. For each user: SHA-512 over two zero bytes, the key, the stable id
 * and the key, then 5,199 times over the previous hash and the key. The first 30 bytes make six groups; each is five
 * bytes as a big-endian number, modulo 100,000. The smaller half comes first.
 */
export function safetyNumber(serverId: string, one: CodeParty, other: CodeParty): string {
  const halves = [one, other].map((party) => half(serverId, party)).sort();
  return halves.flatMap((digits) => digits.match(/\d{5}/g) ?? []).join(" ");
}

function half(serverId: string, { userId, identityKey }: CodeParty): string {
  const hash = slowHash(identityKey, Buffer.from(`${serverId} ${userId}`));
  let digits = "";
  for (let at = 0; at < 30; at += 5) digits += String(hash.readUIntBE(at, 5) % 100_000).padStart(5, "0");
  return digits;
}

function slowHash(key: Uint8Array, id: Uint8Array): Buffer {
  let hash = createHash("sha512").update(Buffer.alloc(2)).update(key).update(id).update(key).digest();
  for (let round = 1; round < ROUNDS; round++) hash = createHash("sha512").update(hash).update(key).digest();
  return hash;
}

/** Crockford's Base32, without letters that look like digits (https://www.crockford.com/base32.html). */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LETTERS = 12;

/** A device that the identity key is about to sign. */
export interface LinkedDevice extends CodeParty {
  /** The fingerprint of the device's key. */
  readonly fingerprint: string;
}

/**
 * The code that a new device shows and a person types on the first device, such as "K7QF-9M2X-4TRD". It depends on the
 * key of the device and on the identity key that is about to sign it. A server that gave a device a wrong key would
 * have to find one with the same 60 bits, at 5,200 hashes for each attempt.
 */
export function linkCode(serverId: string, { userId, identityKey, fingerprint }: LinkedDevice): string {
  const hash = slowHash(identityKey, Buffer.from(`parley link ${serverId} ${userId} ${fingerprint}`));
  let bits = hash.readBigUInt64BE(0) >> 4n;
  let code = "";
  for (let letter = 0; letter < CODE_LETTERS; letter++) {
    code = (LETTERS[Number(bits & 31n)] ?? "") + code;
    bits >>= 5n;
  }
  return code.replace(/(.{4})(?=.)/g, "$1-");
}

/** Converts a typed code to the form in which it is shown; undefined if it is not a code. */
export function readLinkCode(typed: string): string | undefined {
  const plain = typed.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  if (plain.length !== CODE_LETTERS || [...plain].some((letter) => !LETTERS.includes(letter)))
    return undefined;
  return plain.replace(/(.{4})(?=.)/g, "$1-");
}
