// Makes a self-signed certificate. It loads a large library, so import it only when a certificate must be made. The
// dependency injection of @peculiar/x509 requires this import, before its own.
import "reflect-metadata";
import { type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface SelfSignedOptions {
  /** A P-256 key. */
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Host names and addresses, at least one; the first is also the common name. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Makes a certificate, PEM, for either end of a connection. It cannot sign other certificates. */
export async function selfSigned(options: SelfSignedOptions): Promise<string> {
  const { names, notBefore, notAfter } = options;
  const keys = {
    privateKey: options.privateKey.toCryptoKey(ALGORITHM, true, ["sign"]),
    publicKey: options.publicKey.toCryptoKey(ALGORITHM, true, ["verify"]),
  };
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(15).toString("hex")}`,
      // If the name were given as text, a comma or a plus sign in the host name would be syntax.
      name: [{ CN: [(names[0] ?? "parley").slice(0, 64)] }],
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name })),
        ),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}
