// Makes a self-signed certificate. Loads a large library: only imported where a certificate must be made.
// Its dependency injection wants this first.
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
  /** P-256. */
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Host names and addresses, at least one; the first is also the common name. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate, PEM, for either end of a connection: it can vouch for itself and for nobody else. */
export async function selfSigned(options: SelfSignedOptions): Promise<string> {
  const { names, notBefore, notAfter } = options;
  const keys = {
    privateKey: options.privateKey.toCryptoKey(ALGORITHM, true, ["sign"]),
    publicKey: options.publicKey.toCryptoKey(ALGORITHM, true, ["verify"]),
  };
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(15).toString("hex")}`,
      // A structured name: as text, a comma or plus sign in the host name would be read as syntax.
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
