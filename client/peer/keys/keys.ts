// The keys of this device: its own, in a certificate, by which peers know the device; and on a user's first device the
// identity key, which vouches for devices.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";
import type { Certificate } from "../../../rpc/listening/server-credentials.ts";
import { fingerprint, fingerprintOf } from "../../../rpc/network/fingerprint.ts";

/** What is kept of them. All of it is secret. */
export interface StoredKeys {
  /** The server's id for the device that the key belongs to. */
  readonly deviceId: string;
  /** The device's private key and its certificate, PEM. */
  readonly device: Certificate;
  /** The private half of the user's identity key, PKCS #8 DER, where this device has it. */
  readonly identity: Uint8Array | undefined;
}

/** Where a device's keys are kept. Several processes may share it. */
export interface KeyStore {
  /** What is kept; undefined where nothing is. */
  load(): StoredKeys | undefined;
  /** Keeps them, unless there are some for that device already; answers those that are kept. */
  saveIfNone(keys: StoredKeys): StoredKeys;
  /** Keeps the identity key beside the device's, or forgets it. */
  saveIdentity(identity: Uint8Array | undefined): void;
}

/** For programs that start afresh each time. */
export class MemoryKeys implements KeyStore {
  #keys: StoredKeys | undefined;

  /** What is kept; undefined where nothing is. */
  load(): StoredKeys | undefined {
    return this.#keys;
  }

  saveIfNone(keys: StoredKeys): StoredKeys {
    if (this.#keys?.deviceId !== keys.deviceId) {
      this.#keys = { ...keys, identity: keys.identity ?? this.#keys?.identity };
    }
    return this.#keys;
  }

  saveIdentity(identity: Uint8Array | undefined): void {
    if (this.#keys !== undefined) this.#keys = { ...this.#keys, identity };
  }
}

const DAY_MS = 86_400_000;
/** Nothing rests on the dates in a certificate, but some programs look at them. */
const VALID_DAYS = 20 * 365;

/** A new device key: ECDSA on P-256, which every TLS library offers unasked. */
export async function newDeviceKey(): Promise<Certificate> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = Date.now();
  const { selfSigned } = await import("../../../rpc/listening/self-signed.ts");
  const cert = await selfSigned({
    privateKey,
    publicKey,
    names: ["parley-device"],
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + VALID_DAYS * DAY_MS),
  });
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), cert };
}

/** The certificate as it is registered, DER. */
export function derOf({ cert }: Certificate): Uint8Array {
  return new X509Certificate(cert).raw;
}

export function fingerprintOfKey({ cert }: Certificate): string {
  return fingerprintOf(cert);
}

/** The fingerprint of the key in a certificate, DER; undefined where it is none. */
export function fingerprintOfDer(certificate: Uint8Array): string | undefined {
  try {
    return fingerprint(new X509Certificate(certificate));
  } catch {
    return undefined;
  }
}

/** An Ed25519 key pair that can sign. */
export class IdentityKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  private constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    const { x } = createPublicKey(privateKey).export({ format: "jwk" });
    this.publicKey = Buffer.from(x ?? "", "base64url");
  }

  static generate(): IdentityKey {
    return new IdentityKey(generateKeyPairSync("ed25519").privateKey);
  }

  static from(pkcs8: Uint8Array): IdentityKey {
    return new IdentityKey(createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }));
  }

  /** PKCS #8, DER. */
  export(): Uint8Array {
    return this.#privateKey.export({ type: "pkcs8", format: "der" });
  }

  /** Vouches for a device. */
  sign(statement: DeviceStatement): Uint8Array {
    return sign(null, textOf(statement), this.#privateKey);
  }
}

/** That a key is a device of a user. */
export interface DeviceStatement {
  readonly serverId: string;
  readonly userId: string;
  readonly deviceId: string;
  /** Of the device's key. */
  readonly fingerprint: string;
}

/** Whether the identity key vouches for the device. */
export function isVouchedFor(
  identityKey: Uint8Array,
  statement: DeviceStatement,
  signature: Uint8Array,
): boolean {
  if (identityKey.length !== 32 || signature.length !== 64) return false;
  const x = Buffer.from(identityKey).toString("base64url");
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, textOf(statement), key, signature);
  } catch {
    return false;
  }
}

/** What is signed; DeviceCertificate.signature in the contract has the rule. */
function textOf({ serverId, userId, deviceId, fingerprint: of }: DeviceStatement): Buffer {
  return Buffer.from(`parley device key v1\n${serverId}\n${userId}\n${deviceId}\n${of}\n`);
}
