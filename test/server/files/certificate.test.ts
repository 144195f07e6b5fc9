// The server's certificate: it is valid for every name, renewals keep the key, and an operator's pair is used only when
// both files match.
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { CertificateError, loadCertificate, ownCertificate } from "../../../server/files/certificate.ts";
import { watchCertificate } from "../../../server/files/certificate-watch.ts";
import { type Log, silentLog } from "../../../server/log.ts";
import { eventually } from "../../support/eventually.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-certificate-"));
});
afterEach(() => rm(folder, { recursive: true }));

const filesIn = (name = "tls") => ({
  cert: join(folder, name, "cert.pem"),
  key: join(folder, name, "key.pem"),
});
const years = (count: number) => new Date(Date.now() + count * 365.25 * 86_400_000);

/** Connects over TLS and trusts only this certificate. @returns the fingerprint of the presented one */
async function connectTrusting(served: { cert: string; key: string }, servername: string): Promise<string> {
  const server = createServer({ ...served, minVersion: "TLSv1.3" }, (socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    return await new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", ca: served.cert, servername }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
        socket.destroy();
      });
      socket.on("error", reject);
    });
  } finally {
    server.close();
  }
}

describe("the server's own certificate", () => {
  test("is valid for localhost, the host name and every public name", async () => {
    const names = ["chat.example.org", "192.0.2.7", "2001:db8::7"];
    const made = await ownCertificate(filesIn(), names);
    const x509 = new X509Certificate(made.cert);
    expect(await connectTrusting(made, "localhost")).toBe(x509.fingerprint256);
    expect(await connectTrusting(made, "chat.example.org")).toBe(x509.fingerprint256);
    await expect(connectTrusting(made, "other.example.org")).rejects.toThrow(/altnames/);
    for (const ip of ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"]) expect(x509.checkIP(ip)).toBeTruthy();
    expect(x509.checkHost(hostname())).toBeTruthy();
    expect(x509.ca).toBe(false);
    expect(x509.validToDate.getTime()).toBeGreaterThan(years(9.9).getTime());
    expect(fingerprintOf(made.cert)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  test("is stored in files that only the owner can read", async () => {
    await ownCertificate(filesIn(), []);
    expect((await stat(join(folder, "tls"))).mode & 0o777).toBe(0o700);
    for (const file of Object.values(filesIn())) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("is the same for all processes that start at the same time on a new folder, and no other file is left", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ownCertificate(filesIn(), [])));
    for (const certificate of made) expect(certificate).toEqual(made[0]);
    expect(await ownCertificate(filesIn(), [])).toEqual(made[0]);
    expect(await readdir(join(folder, "tls"))).toHaveLength(2);
  });

  test("is kept at the next start", async () => {
    const first = await ownCertificate(filesIn(), ["chat.example.org"]);
    expect(await ownCertificate(filesIn(), ["Chat.Example.org"])).toEqual(first);
  });

  test.each<[string, () => Promise<{ cert: string; key: string }>]>([
    ["a name is added", () => ownCertificate(filesIn(), ["a.example.org", "b.example.org"])],
    ["a name is removed", () => ownCertificate(filesIn(), [])],
    ["it expires soon", () => ownCertificate(filesIn(), ["a.example.org"], years(9.5))],
    [
      "it is damaged",
      async () => {
        await writeFile(filesIn().cert, "-----BEGIN CERTIFICATE-----\nAAAA\n");
        return ownCertificate(filesIn(), ["a.example.org"]);
      },
    ],
    [
      "it is missing",
      async () => {
        await unlink(filesIn().cert);
        return ownCertificate(filesIn(), ["a.example.org"]);
      },
    ],
  ])("is renewed with the same key when %s", async (_when, again) => {
    const first = await ownCertificate(filesIn(), ["a.example.org"]);
    const second = await again();
    expect(second.cert).not.toBe(first.cert);
    expect(second.key).toBe(first.key);
    expect(fingerprintOf(second.cert)).toBe(fingerprintOf(first.cert));
    expect(await readFile(filesIn().cert, "utf8")).toBe(second.cert);
  });

  test("a damaged key is refused and not replaced, because clients have pinned it", async () => {
    await ownCertificate(filesIn(), []);
    await writeFile(filesIn().key, "nonsense");
    await expect(ownCertificate(filesIn(), [])).rejects.toThrow(/key\.pem is not a private key/);
    expect(await readFile(filesIn().key, "utf8")).toBe("nonsense");
  });
});

test("a missing key is refused and not replaced", async () => {
  await ownCertificate(filesIn(), []);
  await unlink(filesIn().key);
  await expect(ownCertificate(filesIn(), [])).rejects.toThrow(/key\.pem is missing/);
  await unlink(filesIn().cert);
  expect((await ownCertificate(filesIn(), [])).key).toContain("PRIVATE KEY");
});

describe("the operator's certificate", () => {
  test("is loaded, with a warning if it has expired or is not yet valid", async () => {
    const made = await ownCertificate(filesIn(), []);
    expect(await loadCertificate(filesIn())).toMatchObject(made);
    expect((await loadCertificate(filesIn())).warning).toBeUndefined();
    expect((await loadCertificate(filesIn(), years(11))).warning).toMatch(/expired on/);
    expect((await loadCertificate(filesIn(), years(-1))).warning).toMatch(/not valid before/);
  });

  test("is refused if it cannot be used, with the name of the file", async () => {
    await ownCertificate(filesIn("a"), []);
    await ownCertificate(filesIn("b"), []);
    const [a, b] = [filesIn("a"), filesIn("b")];
    await expect(loadCertificate({ cert: a.cert, key: b.key })).rejects.toThrow(/b\/key\.pem is not the key/);
    await expect(loadCertificate({ cert: a.key, key: a.key })).rejects.toThrow(
      /key\.pem does not begin with/,
    );
    await expect(loadCertificate({ cert: a.cert, key: a.cert })).rejects.toThrow(
      /cert\.pem is not a private key/,
    );
    await expect(loadCertificate({ cert: "/none", key: a.key })).rejects.toThrow(CertificateError);
  });
});

describe("watching", () => {
  async function watched() {
    await ownCertificate(filesIn("live"), []);
    await ownCertificate(filesIn("next"), []);
    const errors: string[] = [];
    const log: Log = { ...silentLog(), error: (_fields, message) => errors.push(message) };
    const changes: string[] = [];
    const onChange = ({ cert }: { cert: string }) => {
      changes.push(cert);
    };
    const watch = watchCertificate({ files: filesIn("live"), onChange, log, everyMs: 10 });
    const move = (file: "cert" | "key") => rename(filesIn("next")[file], filesIn("live")[file]);
    return { watch, changes, errors, move, next: await readFile(filesIn("next").cert, "utf8") };
  }

  test("a renewed pair is reported once", async () => {
    const { watch, changes, errors, move, next } = await watched();
    using _ = watch;
    await move("key");
    await move("cert");
    await eventually(() => expect(changes).toEqual([next]));
    await watch.reload();
    expect(changes).toEqual([next, next]);
    expect(errors).toEqual([]);
  });

  test("half of a renewed pair is not used and logged once, until the other half arrives", async () => {
    const { watch, changes, errors, move, next } = await watched();
    using _ = watch;
    await move("cert");
    await eventually(() => expect(errors).toEqual([expect.stringMatching(/old one stays in use/)]));
    expect(changes).toEqual([]);
    await move("key");
    await eventually(() => expect(changes).toEqual([next]));
    expect(errors).toHaveLength(1);
  });

  test("reload loads the files immediately, and logs a problem immediately", async () => {
    const { watch, changes, errors } = await watched();
    watch[Symbol.dispose]();
    await watch.reload();
    expect(changes).toHaveLength(1);
    await unlink(filesIn("live").key);
    await watch.reload();
    expect(changes).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });
});
