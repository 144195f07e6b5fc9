// The fingerprint of a server's public key, which stays the same when its certificate is renewed.
import { createHash, X509Certificate } from "node:crypto";

/** "SHA256:" and the unpadded base64 of the SHA-256 of the certificate's public key (SPKI, DER). @throws Error if it is not a certificate */
export function fingerprintOf(certificatePem: string): string {
  return fingerprint(new X509Certificate(certificatePem));
}

export function fingerprint(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
