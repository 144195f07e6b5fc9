// Watches the operator's certificate and key: a renewed pair is handed on, a half-written one never.
import { stat } from "node:fs/promises";
import type { Log } from "../log.ts";
import { type CertificateFiles, type LoadedCertificate, loadCertificate } from "./certificate.ts";

export interface CertificateWatch extends Disposable {
  /** Looks now, whether or not the files seem changed. */
  reload(): Promise<void>;
}

export interface CertificateWatchOptions {
  readonly files: CertificateFiles;
  /** Called with a pair that fits together. What it throws is logged, and the old pair stays in use. */
  readonly onChange: (certificate: LoadedCertificate) => void;
  readonly log: Log;
  readonly everyMs?: number;
}

/**
 * Polls: watching the folder misses what renewals do with symbolic links, and files over a network. A pair that cannot
 * be loaded is tried again at the next look, since the other half may just be on its way, and named in the log once.
 */
export function watchCertificate(options: CertificateWatchOptions): CertificateWatch {
  const { files, onChange, log, everyMs = 5_000 } = options;
  let served: string;
  let failedAt: string | undefined;
  let running = stamps(files).then((seen) => {
    served = seen;
  });

  const look = async (isForced: boolean): Promise<void> => {
    const seen = await stamps(files);
    if (seen === served && !isForced) return;
    try {
      const certificate = await loadCertificate(files);
      // Changed while it was read: what was read may be of two minds.
      if ((await stamps(files)) !== seen) return;
      onChange(certificate);
      served = seen;
      failedAt = undefined;
      log.info({ event: "certificate reloaded", file: files.cert }, "certificate reloaded");
      if (certificate.warning !== undefined) log.warn({ file: files.cert }, certificate.warning);
    } catch (error) {
      // The first failure after a change may be half a renewal; the second is told, once.
      if (failedAt === seen || isForced) {
        log.error({ err: error, file: files.cert }, "the changed certificate is not used, the old one stays");
        served = seen;
      }
      failedAt = seen;
    }
  };

  const once = (isForced: boolean): Promise<void> => {
    running = running.then(() => look(isForced));
    return running;
  };
  const timer = setInterval(() => {
    once(false).catch((error: unknown) =>
      log.error({ err: error }, "the certificate could not be looked at"),
    );
  }, everyMs);
  timer.unref();
  return { reload: () => once(true), [Symbol.dispose]: () => clearInterval(timer) };
}

/** Changes whenever one of the files does. */
async function stamps({ cert, key }: CertificateFiles): Promise<string> {
  const both = await Promise.all([cert, key].map(stamp));
  return both.join(" ");
}

async function stamp(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    // Gone, or not to be read: loading it then says why.
    return "none";
  }
}
