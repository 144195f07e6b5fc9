// The keys of users and devices for private chats: an identity key, certificates, and signatures of devices.
import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import type { RegisterDeviceKeyResponse } from "../../gen/parley/chat/v1/identity_service.ts";
import { fingerprint } from "../../rpc/network/fingerprint.ts";
import { makeCertificate } from "../rpc/certificates.ts";
import type { TestClient } from "../support/client.ts";

export interface IdentityKey {
  /** 32 bytes. */
  readonly key: Buffer;
  readonly privateKey: KeyObject;
}

export function newIdentity(): IdentityKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { key: Buffer.from(x, "base64url"), privateKey };
}

/** DER. */
export function newCertificate(kind: "P-256" | "Ed25519" = "P-256"): Buffer {
  return new X509Certificate(makeCertificate({ kind }).cert).raw;
}

/** The identity key's signature of a device, as the contract defines it. */
export function signDevice(
  { privateKey }: IdentityKey,
  { grant }: TestClient,
  certificate: Buffer,
  deviceId = grant?.device?.deviceId ?? "",
): Buffer {
  const text = [
    "parley device key v1\n",
    `${grant?.serverId}\n`,
    `${grant?.user?.userId}\n`,
    `${deviceId}\n`,
    `${fingerprint(new X509Certificate(certificate))}\n`,
  ].join("");
  return sign(null, Buffer.from(text), privateKey);
}

/** Registers the client's certificate. With an identity key, the request contains that key and its signature. */
export function register(
  client: TestClient,
  certificate = newCertificate(),
  identity?: IdentityKey,
  replaceIdentity = false,
): Promise<RegisterDeviceKeyResponse> {
  return client.unary(client.identity, client.identity.registerDeviceKey, {
    certificate,
    identityKey: identity?.key ?? Buffer.alloc(0),
    signature: identity === undefined ? Buffer.alloc(0) : signDevice(identity, client, certificate),
    replaceIdentity,
  });
}
