// The time of the certificate while the server runs: the server's own is renewed, and the operator's is warned about.
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { ownCertificate } from "../../../server/files/certificate.ts";
import { watchCertificateTimes } from "../../../server/files/certificate-times.ts";
import { type Log, silentLog } from "../../../server/log.ts";
import { CHEAP } from "../../support/cheap-passwords.ts";
import { eventually } from "../../support/eventually.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { fakeIo } from "../commands/fake-io.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-certificate-times-"));
});
afterEach(() => rm(folder, { recursive: true }));

const filesIn = (name: string) => ({
  cert: join(folder, name, "cert.pem"),
  key: join(folder, name, "key.pem"),
});

test("a certificate that was made while the clock was years ahead is renewed with the same key once the clock is right", async () => {
  const now = Date.now();
  const clock = new ManualClock(now + 4 * 365 * DAY_MS);
  const io = fakeIo("", { isTerminal: true });
  const done = runCommandLine(["--data", folder, "--listen", "127.0.0.1:0"], io, {
    passwordCost: CHEAP,
    clock,
  });
  await io.printed(/ready/);
  const read = async () => new X509Certificate(await readFile(filesIn("tls").cert));
  const first = await read();
  expect(first.validFromDate.getTime()).toBeGreaterThan(now);

  clock.setWallClock(now);
  clock.advance(HOUR_MS);
  await eventually(async () => expect((await read()).validFromDate.getTime()).toBeLessThan(now));
  const second = await read();
  expect(second.validToDate.getTime()).toBeGreaterThan(now + 3000 * DAY_MS);
  expect(fingerprintOf(second.toString())).toBe(fingerprintOf(first.toString()));
  io.listeners?.onStop("SIGTERM");
  expect(await done).toBe(0);
});

describe("while the server runs", () => {
  async function watched(isOwn: boolean) {
    const clock = new ManualClock();
    const files = filesIn("tls");
    const { cert } = await ownCertificate(files, [], new Date(clock.now()));
    let served = cert;
    const warnings: string[] = [];
    const log: Log = { ...silentLog(), warn: (_fields, message) => warnings.push(message) };
    const watch = watchCertificateTimes({
      file: "cert.pem",
      served: () => served,
      renew: isOwn ? (now) => ownCertificate(files, [], now) : undefined,
      onRenewed: (certificate) => {
        served = certificate.cert;
      },
      log,
      clock,
    });
    /** Moves the wall clock to that many days after the certificate was made, and lets an hour pass. */
    const at = (days: number) => {
      clock.setWallClock(Date.parse(new X509Certificate(cert).validFrom) + (days + 2) * DAY_MS);
      clock.advance(HOUR_MS);
    };
    return { watch, clock, at, warnings, first: cert, served: () => served };
  }

  test("the server's own certificate is renewed a year before its end, and nothing is logged as a warning", async () => {
    const { watch, at, warnings, first, served } = await watched(true);
    using _ = watch;
    at(3650 - 366);
    at(3650 - 364);
    await eventually(() => expect(served()).not.toBe(first));
    expect(fingerprintOf(served())).toBe(fingerprintOf(first));
    expect(warnings).toEqual([]);
  });

  test("the operator's certificate is reported before its end, after it, and before its beginning", async () => {
    const { watch, at, warnings, first, served } = await watched(false);
    using _ = watch;
    at(3650 - 15);
    at(3650 - 10);
    await eventually(() =>
      expect(warnings).toEqual([expect.stringMatching(/^cert\.pem expires in 9 days, on /)]),
    );
    at(3651);
    await eventually(() => expect(warnings[1]).toMatch(/expired on/));
    at(-10);
    await eventually(() => expect(warnings[2]).toMatch(/is not valid before/));
    expect(served()).toBe(first);
  });

  test("the same problem is logged once a day", async () => {
    const { watch, clock, at, warnings } = await watched(false);
    using _ = watch;
    at(3651);
    for (let hour = 0; hour < 47; hour++) {
      clock.advance(HOUR_MS);
      await eventually(() => expect(warnings.length).toBeGreaterThan(0));
    }
    await eventually(() => expect(warnings).toHaveLength(2));
  });
});
