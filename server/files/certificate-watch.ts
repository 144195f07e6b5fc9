// Watches the operator's certificate and key, and reports a renewed pair once both files are complete.
import { stat } from "node:fs/promises";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { Log } from "../log.ts";
import { type CertificateFiles, type LoadedCertificate, loadCertificate } from "./certificate.ts";

export interface CertificateWatch extends Disposable {
  /** Loads the files now, whether or not they changed. */
  reload(): Promise<void>;
}

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  /** Called with a matching pair. If it throws, the error is logged and the old pair stays in use. */
  readonly onChange: (certificate: LoadedCertificate) => void;
  readonly log: Log;
  /** The interval of the polls, ms; default 5000. */
  readonly everyMs?: number;
  readonly clock?: Clock;
}

/**
 * Polls, because file system events miss changes of symbolic links and of files on a network. A pair that cannot be
 * loaded is tried again at the next poll, since a renewal may have written only one of the files so far. A second
 * failure is logged once.
 */
export function watchCertificate(options: CertificateWatchOptions): CertificateWatch {
  const { files, onChange, log, everyMs = 5_000, clock = systemClock } = options;
  let served: string;
  let failedAt: string | undefined;
  let running = stamps(files).then((seen) => {
    served = seen;
  });

  const look = async (isForced: boolean): Promise<void> => {
    const seen = await stamps(files);
    if (seen === served && !isForced) return;
    try {
      const certificate = await loadCertificate(files, new Date(clock.now()));
      // The files changed while they were read, so the pair may be inconsistent.
      if ((await stamps(files)) !== seen) return;
      onChange(certificate);
      served = seen;
      failedAt = undefined;
      log.info({ event: "certificate reloaded", file: files.cert }, "certificate reloaded");
      if (certificate.warning !== undefined) log.warn({ file: files.cert }, certificate.warning);
    } catch (error) {
      // The first failure after a change may be a renewal in progress. The second is logged, once.
      if (failedAt === seen || isForced) {
        log.error(
          { err: error, file: files.cert },
          "the changed certificate cannot be used; the old one stays in use",
        );
        served = seen;
      }
      failedAt = seen;
    }
  };

  const once = (isForced: boolean): Promise<void> => {
    running = running.then(() => look(isForced));
    return running;
  };
  const timer = clock.every(everyMs, () => {
    once(false).catch((error: unknown) => log.error({ err: error }, "the certificate was not checked"));
  });
  return { reload: () => once(true), [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/** Returns a text that changes whenever one of the files changes. */
async function stamps({ cert, key }: CertificateFiles): Promise<string> {
  const both = await Promise.all([cert, key].map(stamp));
  return both.join(" ");
}

async function stamp(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    // Loading the file then reports why it cannot be read.
    return "none";
  }
}
