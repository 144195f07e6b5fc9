// The server's certificate: its own one, made in the data folder and renewed around the same key, or the operator's.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomUUID,
  X509Certificate,
} from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { fileProblem } from "../../command-line/file-problem.ts";
import type { Certificate } from "../../rpc/listening/listen.ts";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate and key that cannot be served; the text names the file and is for the operator. */
export class CertificateError extends Error {
  override name = "CertificateError";
}

export interface LoadedCertificate extends Certificate {
  /** The leaf. */
  readonly x509: X509Certificate;
  /** What the operator should know, such as that it has expired. */
  readonly warning?: string;
}

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 3650;
/** Clients' clocks may be behind. */
const BACKDATE_DAYS = 2;
const RENEW_DAYS_BEFORE_END = 365;

/**
 * The server's own certificate in these files, made if missing (key P-256, files 0600, folder 0700). It names
 * localhost, the loopback addresses, this host and the public names. Where those changed or the end is near it is made
 * anew around the same key, so that clients, who pin the key, do not notice.
 * @throws CertificateError
 */
export async function ownCertificate(
  files: CertificateFiles,
  publicNames: readonly string[],
  now = new Date(),
): Promise<Certificate> {
  await mkdir(dirname(files.key), { recursive: true, mode: 0o700 });
  const names = certificateNames(publicNames);
  const current = await readIfThere(files.cert);
  const oldKey = await readIfThere(files.key);
  if (oldKey === undefined && current !== undefined) {
    throw new CertificateError(
      `${files.key} is missing: put it back, or delete ${files.cert} as well to get a new key, which every client must accept`,
    );
  }
  const key = oldKey ?? (await newKey(files.key));
  const privateKey = parseKey(key, files.key);
  if (current !== undefined && isCurrent(current, privateKey, names, now)) return { cert: current, key };

  const { selfSigned } = await import("../../rpc/listening/self-signed.ts");
  const cert = await selfSigned({
    privateKey,
    publicKey: createPublicKey(privateKey),
    names,
    notBefore: new Date(now.getTime() - BACKDATE_DAYS * DAY_MS),
    notAfter: new Date(now.getTime() + LIFETIME_DAYS * DAY_MS),
  });
  if (current === undefined) return { cert: await createWhole(files.cert, cert), key };
  await writeWhole(files.cert, cert);
  return { cert, key };
}

/**
 * The operator's certificate chain and key.
 * @throws CertificateError where one cannot be read, is no PEM, or they do not belong together
 */
export async function loadCertificate(files: CertificateFiles, now = new Date()): Promise<LoadedCertificate> {
  const [cert, key] = await Promise.all([readOrExplain(files.cert), readOrExplain(files.key)]);
  const x509 = parseCertificate(cert, files.cert);
  if (!x509.checkPrivateKey(parseKey(key, files.key))) {
    throw new CertificateError(`${files.key} is not the key of the first certificate in ${files.cert}`);
  }
  const warning =
    x509.validToDate < now
      ? `${files.cert} has expired on ${x509.validTo}`
      : x509.validFromDate > now
        ? `${files.cert} is valid from ${x509.validFrom} only`
        : undefined;
  return { cert, key, x509, ...(warning === undefined ? {} : { warning }) };
}

function certificateNames(publicNames: readonly string[]): string[] {
  const host = hostname();
  // Some machines have a name that no certificate can carry.
  const own = /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(host) ? [host] : [];
  return [
    ...new Set([...publicNames, ...own, "localhost", "127.0.0.1", "::1"].map((name) => name.toLowerCase())),
  ];
}

function isCurrent(pem: string, key: KeyObject, names: readonly string[], now: Date): boolean {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(pem);
  } catch {
    // Damaged: made anew around its key, and nobody notices.
    return false;
  }
  const isFresh = x509.validToDate.getTime() - now.getTime() > RENEW_DAYS_BEFORE_END * DAY_MS;
  const named = names.every(
    (name) =>
      (isIP(name) === 0 ? x509.checkHost(name, { subject: "never" }) : x509.checkIP(name)) !== undefined,
  );
  const count = x509.subjectAltName?.split(", ").length;
  return isFresh && named && count === names.length && x509.checkPrivateKey(key);
}

async function newKey(file: string): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return createWhole(file, pem);
}

/** The file is there in full, on the disk, or not at all. */
async function writeWhole(file: string, text: string): Promise<void> {
  await rename(await writePart(file, text), file);
}

/**
 * As writeWhole, where there is no such file: of several processes that start at once, such as the server and
 * `parley-server cert`, one makes it, and all have what that one wrote.
 * @returns what is in the file
 */
async function createWhole(file: string, text: string): Promise<string> {
  const part = await writePart(file, text);
  try {
    await link(part, file);
    return text;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return await readOrExplain(file);
    // Not every file system has links.
    await rename(part, file);
    return text;
  } finally {
    await rm(part, { force: true });
  }
}

async function writePart(file: string, text: string): Promise<string> {
  const part = `${file}.${randomUUID()}.part`;
  const handle = await open(part, "w", 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return part;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unreadable(file, error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function readOrExplain(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): CertificateError {
  return new CertificateError(`${file} cannot be read: ${fileProblem(cause)}`, { cause });
}

function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError(`${file} does not begin with a certificate in PEM`, { cause });
  }
}

function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new CertificateError(`${file} is no private key in PEM, or has a passphrase`, { cause });
  }
}
