// Makes certificates for tests, with the few parts of X.509 that they need.
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface TestCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  readonly privateKey: KeyObject;
  readonly name: string;
}

export interface CertificateOptions {
  /** Its names and IPv4 addresses. */
  readonly names?: readonly string[];
  /** Its issuer; by default it is self-signed. */
  readonly issuer?: TestCertificate;
  /** Its key; by default a new one. */
  readonly privateKey?: KeyObject;
  readonly isAuthority?: boolean;
  /** Days from now until it expires; negative for an expired one. */
  readonly days?: number;
  readonly kind?: "P-256" | "Ed25519";
}

const DAY_MS = 86_400_000;

export function makeCertificate(options: CertificateOptions = {}): TestCertificate {
  const privateKey = options.privateKey ?? newKey(options.kind ?? "P-256");
  const name = options.isAuthority ? "test authority" : "test";
  const issuer = options.issuer;
  const signer = issuer?.privateKey ?? privateKey;
  const now = Date.now();
  const algorithm = sequence(
    objectId(signer.asymmetricKeyType === "ed25519" ? [1, 3, 101, 112] : [1, 2, 840, 10045, 4, 3, 2]),
  );
  const body = sequence(
    der(0xa0, integer(2)),
    integer(Math.floor(Math.random() * 0x7fffffff)),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(time(now - 400 * DAY_MS), time(now + (options.days ?? 30) * DAY_MS)),
    distinguishedName(name),
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions(options))),
  );
  const signature = sign(signer.asymmetricKeyType === "ed25519" ? null : "sha256", body, signer);
  const encoded = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${encoded
      .toString("base64")
      .match(/.{1,64}/g)
      ?.join("\n")}\n-----END CERTIFICATE-----\n`,
    privateKey,
    name,
  };
}

function newKey(kind: "P-256" | "Ed25519"): KeyObject {
  if (kind === "Ed25519") return generateKeyPairSync("ed25519").privateKey;
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function extensions(options: CertificateOptions): Buffer[] {
  const names = (options.names ?? ["localhost", "127.0.0.1"]).map((name) =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
  );
  const isAuthority = options.isAuthority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence();
  return [
    sequence(objectId([2, 5, 29, 19]), der(0x01, Buffer.from([0xff])), der(0x04, isAuthority)),
    sequence(objectId([2, 5, 29, 17]), der(0x04, sequence(...names))),
  ];
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(objectId([2, 5, 4, 3]), der(0x0c, Buffer.from(name)))));
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  return der(0x18, Buffer.from(`${digits}Z`));
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  let start = 0;
  while (start < 3 && bytes[start] === 0 && (bytes[start + 1] ?? 0) < 0x80) start += 1;
  return der(0x02, bytes.subarray(start));
}

function objectId([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const value of rest) {
    const groups = [value & 0x7f];
    for (let high = value >>> 7; high > 0; high >>>= 7) groups.unshift((high & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
