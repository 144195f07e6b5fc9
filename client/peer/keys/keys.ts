// The keys of this device: the device key in a certificate, which peers check, and on a user's first device the
// identity key, which signs device keys.
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

/** The stored keys. All of them are secret. */
export interface StoredKeys {
  /** The id of the device, from the server. */
  readonly deviceId: string;
  /** The device's private key and its certificate, PEM. */
  readonly device: Certificate;
  /** The user's private identity key, PKCS #8 DER, if this device has it. */
  readonly identity: Uint8Array | undefined;
}

/** Stores a device's keys. Several processes may share a store. */
export interface KeyStore {
  /** The stored keys; undefined if there are none. */
  load(): StoredKeys | undefined;
  /** Stores the keys if there are none for that device. Returns the keys that are stored afterwards. */
  saveIfNone(keys: StoredKeys): StoredKeys;
  /** Stores the identity key beside the device's keys; undefined removes it. */
  saveIdentity(identity: Uint8Array | undefined): void;
}

/** Keys in memory, for programs that keep no state. */
export class MemoryKeys implements KeyStore {
  #keys: StoredKeys | undefined;

  /** The stored keys; undefined if there are none. */
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
/** Peers do not check the dates of a certificate, but other programs may. */
const VALID_DAYS = 20 * 365;

/** A new device key: ECDSA on P-256, which every TLS library supports by default. */
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

/** The certificate in DER, the form in which it is registered. */
export function derOf({ cert }: Certificate): Uint8Array {
  return new X509Certificate(cert).raw;
}

export function fingerprintOfKey({ cert }: Certificate): string {
  return fingerprintOf(cert);
}

/** The fingerprint of the key in a DER certificate; undefined if the bytes are not a certificate. */
export function fingerprintOfDer(certificate: Uint8Array): string | undefined {
  try {
    return fingerprint(new X509Certificate(certificate));
  } catch {
    return undefined;
  }
}

/** A user's identity key: an Ed25519 key pair. */
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

  /** Signs a device's key. */
  sign(statement: DeviceStatement): Uint8Array {
    return sign(null, textOf(statement), this.#privateKey);
  }
}

/** The statement that a key belongs to a device of a user. */
export interface DeviceStatement {
  readonly serverId: string;
  readonly userId: string;
  readonly deviceId: string;
  /** The fingerprint of the device's key. */
  readonly fingerprint: string;
}

/** Whether the signature is the identity key's signature of the statement. */
export function isSignedBy(
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

/** The signed text, as the contract defines it at DeviceCertificate.signature. */
function textOf({ serverId, userId, deviceId, fingerprint: of }: DeviceStatement): Buffer {
  return Buffer.from(`parley device key v1\n${serverId}\n${userId}\n${deviceId}\n${of}\n`);
}
