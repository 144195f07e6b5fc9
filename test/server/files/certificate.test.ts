// The server's certificate: a client that trusts it connects by every name, the key outlives renewals, and the
// operator's pair is taken whole or not at all.
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { CertificateError, loadCertificate, ownCertificate } from "../../../server/files/certificate.ts";
import { watchCertificate } from "../../../server/files/certificate-watch.ts";
import { type Log, silentLog } from "../../../server/log.ts";

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

/** Connects over real TLS, trusting only this certificate; resolves to what the server presented. */
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

describe("the server's own", () => {
  test("is trusted under localhost, the host's name and every public name", async () => {
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

  test("lies in files that nobody else reads", async () => {
    await ownCertificate(filesIn(), []);
    expect((await stat(join(folder, "tls"))).mode & 0o777).toBe(0o700);
    for (const file of Object.values(filesIn())) expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("is one for all that start at once on a new folder, and leaves nothing else there", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ownCertificate(filesIn(), [])));
    for (const one of made) expect(one).toEqual(made[0]);
    expect(await ownCertificate(filesIn(), [])).toEqual(made[0]);
    expect(await readdir(join(folder, "tls"))).toHaveLength(2);
  });

  test("stays the same from start to start", async () => {
    const first = await ownCertificate(filesIn(), ["chat.example.org"]);
    expect(await ownCertificate(filesIn(), ["Chat.Example.org"])).toEqual(first);
  });

  test.each<[string, () => Promise<{ cert: string; key: string }>]>([
    ["a name comes", () => ownCertificate(filesIn(), ["a.example.org", "b.example.org"])],
    ["a name goes", () => ownCertificate(filesIn(), [])],
    ["its end comes near", () => ownCertificate(filesIn(), ["a.example.org"], years(9.5))],
    [
      "it is damaged",
      async () => {
        await writeFile(filesIn().cert, "-----BEGIN CERTIFICATE-----\nAAAA\n");
        return ownCertificate(filesIn(), ["a.example.org"]);
      },
    ],
    [
      "it is gone",
      async () => {
        await unlink(filesIn().cert);
        return ownCertificate(filesIn(), ["a.example.org"]);
      },
    ],
  ])("is made anew around the same key when %s", async (_when, again) => {
    const first = await ownCertificate(filesIn(), ["a.example.org"]);
    const second = await again();
    expect(second.cert).not.toBe(first.cert);
    expect(second.key).toBe(first.key);
    expect(fingerprintOf(second.cert)).toBe(fingerprintOf(first.cert));
    expect(await readFile(filesIn().cert, "utf8")).toBe(second.cert);
  });

  test("a damaged key is refused, not replaced: clients have pinned it", async () => {
    await ownCertificate(filesIn(), []);
    await writeFile(filesIn().key, "nonsense");
    await expect(ownCertificate(filesIn(), [])).rejects.toThrow(/key\.pem is no private key/);
    expect(await readFile(filesIn().key, "utf8")).toBe("nonsense");
  });
});

test("a key that is gone is not replaced in silence either", async () => {
  await ownCertificate(filesIn(), []);
  await unlink(filesIn().key);
  await expect(ownCertificate(filesIn(), [])).rejects.toThrow(/key\.pem is missing/);
  await unlink(filesIn().cert);
  expect((await ownCertificate(filesIn(), [])).key).toContain("PRIVATE KEY");
});

describe("the operator's", () => {
  test("is loaded, with a warning where its time is over or not yet come", async () => {
    const made = await ownCertificate(filesIn(), []);
    expect(await loadCertificate(filesIn())).toMatchObject(made);
    expect((await loadCertificate(filesIn())).warning).toBeUndefined();
    expect((await loadCertificate(filesIn(), years(11))).warning).toMatch(/has expired/);
    expect((await loadCertificate(filesIn(), years(-1))).warning).toMatch(/valid from/);
  });

  test("is refused where it cannot serve, naming the file", async () => {
    await ownCertificate(filesIn("a"), []);
    await ownCertificate(filesIn("b"), []);
    const [a, b] = [filesIn("a"), filesIn("b")];
    await expect(loadCertificate({ cert: a.cert, key: b.key })).rejects.toThrow(/b\/key\.pem is not the key/);
    await expect(loadCertificate({ cert: a.key, key: a.key })).rejects.toThrow(
      /key\.pem does not begin with/,
    );
    await expect(loadCertificate({ cert: a.cert, key: a.cert })).rejects.toThrow(
      /cert\.pem is no private key/,
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

  test("a renewed pair is handed on once", async () => {
    const { watch, changes, errors, move, next } = await watched();
    using _ = watch;
    await move("key");
    await move("cert");
    await vi.waitFor(() => expect(changes).toEqual([next]));
    await watch.reload();
    expect(changes).toEqual([next, next]);
    expect(errors).toEqual([]);
  });

  test("half a pair is never used, named once, and the other half completes it", async () => {
    const { watch, changes, errors, move, next } = await watched();
    using _ = watch;
    await move("cert");
    await vi.waitFor(() => expect(errors).toEqual([expect.stringMatching(/old one stays/)]));
    expect(changes).toEqual([]);
    await move("key");
    await vi.waitFor(() => expect(changes).toEqual([next]));
    expect(errors).toHaveLength(1);
  });

  test("reload looks at once, and tells what is wrong at once", async () => {
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
