// Checks the certificates of devices, and the signatures by which an identity key vouches for a device.
import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { fingerprint } from "../../rpc/network/fingerprint.ts";
import { formatId } from "../ids.ts";
import { limits } from "../limits.ts";

/** The fingerprint of the certificate's key; or a sentence that says why the certificate is refused. */
export type CheckedCertificate = { ok: true; fingerprint: string } | { ok: false; problem: string };

/** Checks the size, encoding, kind of key, and self-signature. Names, dates and extensions are ignored. */
export function checkCertificate(der: Uint8Array): CheckedCertificate {
  if (der.length === 0 || der.length > limits.deviceCertificateBytes) {
    return { ok: false, problem: `A certificate has 1 to ${limits.deviceCertificateBytes} bytes.` };
  }
  try {
    const certificate = new X509Certificate(der);
    // The constructor also accepts PEM, and DER with bytes after it.
    if (Buffer.compare(certificate.raw, der) !== 0)
      return { ok: false, problem: "This is not a single certificate in DER." };
    const { publicKey } = certificate;
    if (publicKey.asymmetricKeyType !== "ec" || publicKey.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
      return { ok: false, problem: "The certificate's key must be an ECDSA key on P-256." };
    }
    if (!certificate.verify(publicKey))
      return { ok: false, problem: "The certificate is not signed by its own key." };
    return { ok: true, fingerprint: fingerprint(certificate) };
  } catch {
    // OpenSSL's text does not help the sender.
    return { ok: false, problem: "This is not an X.509 certificate." };
  }
}

/** The device key that an identity key vouches for. */
export interface DeviceStatement {
  readonly serverId: string;
  readonly userId: number;
  readonly deviceId: number;
  /** Fingerprint of the certificate's key. */
  readonly fingerprint: string;
}

/** The text that the identity key signs; see DeviceCertificate.signature in the contract. */
export function statementText({ serverId, userId, deviceId, fingerprint }: DeviceStatement): string {
  const lines = [
    "parley device key v1",
    serverId,
    formatId("user", userId),
    formatId("device", deviceId),
    fingerprint,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** @param key an Ed25519 public key, 32 bytes */
export function isSigned(statement: DeviceStatement, key: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== limits.signatureBytes) return false;
  const x = Buffer.from(key).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.from(statementText(statement)), publicKey, signature);
}
