// The server's certificate: the one that it creates in the data folder and renews with the same key, or the operator's.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomUUID,
  X509Certificate,
} from "node:crypto";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { fileProblem } from "../../command-line/file-problem.ts";
import { readSmallFile, type SmallFile } from "../../command-line/small-file.ts";
import type { Certificate } from "../../rpc/listening/listen.ts";

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The certificate or key cannot be used; the message names the file and is for the operator. */
export class CertificateError extends Error {
  override name = "CertificateError";
}

export interface LoadedCertificate extends Certificate {
  /** The first certificate of the chain. */
  readonly x509: X509Certificate;
  /** A sentence for the operator: that the certificate is not valid now, or expires soon. */
  readonly warning?: string;
}

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 3650;
/** How many days in the past a new certificate's validity begins, which allows for clients whose clocks are slow. */
const BACKDATE_DAYS = 2;
const RENEW_DAYS_BEFORE_END = 365;
/** How many days before the end of an operator's certificate the server warns: a renewal by ACME is overdue by then. */
const WARN_DAYS_BEFORE_END = 14;

/**
 * The server's own certificate in these files, created if missing (key P-256, files 0600, folder 0700). It names
 * localhost, the loopback addresses, this host and the public names. When the names change, or it expires within a year or
 * is not valid yet because the clock was wrong when it was made, it is renewed with the same key; clients pin the key, so
 * they accept it.
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
      `${files.key} is missing: restore it, or delete ${files.cert} as well to get a new key, which every client must accept`,
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
 * @throws CertificateError if a file cannot be read or is not PEM, or if the key is not that of the certificate
 */
export async function loadCertificate(files: CertificateFiles, now = new Date()): Promise<LoadedCertificate> {
  const [{ text: cert }, keyFile] = await Promise.all([readOrExplain(files.cert), readOrExplain(files.key)]);
  const key = keyFile.text;
  const x509 = parseCertificate(cert, files.cert);
  if (!x509.checkPrivateKey(parseKey(key, files.key))) {
    throw new CertificateError(`${files.key} is not the key of the first certificate in ${files.cert}`);
  }
  const problem = timeProblem(x509, now);
  const warnings = [
    ...(problem === undefined ? [] : [`${files.cert} ${problem}`]),
    ...(isOpen(keyFile)
      ? [`${files.key} can be read by every user of this machine (${modeOf(keyFile)}); set its mode to 0600`]
      : []),
  ];
  return { cert, key, x509, ...(warnings.length === 0 ? {} : { warning: warnings.join("; ") }) };
}

/** Whether others than the owner and a group, which ACME clients use, can read the key. */
function isOpen({ mode }: SmallFile): boolean {
  return process.platform !== "win32" && (mode & 0o007) !== 0;
}

function modeOf({ mode }: SmallFile): string {
  return `mode ${mode.toString(8).padStart(4, "0")}`;
}

/** What is wrong with the time of a certificate, to follow its name: that it is not valid now, or expires soon. */
export function timeProblem(x509: X509Certificate, now: Date): string | undefined {
  if (x509.validToDate < now) return `expired on ${x509.validTo}`;
  if (x509.validFromDate > now) return `is not valid before ${x509.validFrom}`;
  const days = daysLeft(x509, now);
  return days < WARN_DAYS_BEFORE_END ? `expires in ${Math.floor(days)} days, on ${x509.validTo}` : undefined;
}

/** The days until the certificate expires, with fractions; negative after that. */
export function daysLeft(x509: X509Certificate, now: Date): number {
  return (x509.validToDate.getTime() - now.getTime()) / DAY_MS;
}

function certificateNames(publicNames: readonly string[]): string[] {
  const host = hostname();
  // The names of some machines are not valid in a certificate.
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
    // A damaged certificate is renewed with its key.
    return false;
  }
  const isFresh = x509.validFromDate <= now && daysLeft(x509, now) > RENEW_DAYS_BEFORE_END;
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

/** Writes the file atomically and synchronizes it to the disk. */
async function writeWhole(file: string, text: string): Promise<void> {
  await rename(await writePart(file, text), file);
}

/**
 * Like writeWhole, for a file that does not exist. If several processes do so at the same time, such as the server and
 * `parley-server cert`, one of them creates it, and all return the content that it wrote.
 * @returns the content of the file
 */
async function createWhole(file: string, text: string): Promise<string> {
  const part = await writePart(file, text);
  try {
    await link(part, file);
    return text;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return (await readOrExplain(file)).text;
    // Fall back to renaming, because some file systems do not support links.
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
    return (await readSmallFile(file)).text;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unreadable(file, error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function readOrExplain(file: string): Promise<SmallFile> {
  try {
    return await readSmallFile(file);
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
    throw new CertificateError(`${file} is not a private key in PEM, or has a passphrase`, { cause });
  }
}
