// Checks while the server runs whether its certificate is valid now: renews the server's own, and warns of the operator's.
import { X509Certificate } from "node:crypto";
import type { Certificate } from "../../rpc/listening/listen.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { Log } from "../log.ts";
import { timeProblem } from "./certificate.ts";

export interface CertificateTimesOptions {
  /** The file of the certificate, for the log. */
  readonly file: string;
  /** The certificate that is in use now, PEM. */
  readonly served: () => string;
  /**
   * Returns the certificate to use from now on, which may be the same. Undefined for the operator's certificate, which
   * the server cannot renew.
   */
  readonly renew?: ((now: Date) => Promise<Certificate>) | undefined;
  /** Called if `renew` has returned another certificate. If it throws, the error is logged. */
  readonly onRenewed: (certificate: Certificate) => void;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

/** Often enough that a clock which was wrong when the server started does no harm for long. */
const CHECK_EVERY_MS = 3_600_000;
/** How often the same problem is logged. */
const WARN_EVERY_MS = 86_400_000;

/** Checks every hour, and logs a problem once a day. The caller checks at the start. */
export function watchCertificateTimes(options: CertificateTimesOptions): Disposable {
  const { file, served, renew, onRenewed, log, clock = systemClock } = options;
  let warned: { readonly problem: string; readonly at: number } | undefined;

  const check = async (): Promise<void> => {
    const now = new Date(clock.now());
    const renewed = await renew?.(now);
    if (renewed !== undefined && renewed.cert !== served()) {
      onRenewed(renewed);
      log.info({ event: "certificate renewed", file }, "certificate renewed with the same key");
    }
    const problem = timeProblem(new X509Certificate(served()), now);
    const at = clock.monotonic();
    if (problem === undefined) warned = undefined;
    else if (warned?.problem !== problem || at - warned.at >= WARN_EVERY_MS) {
      warned = { problem, at };
      log.warn({ event: "certificate", file }, `${file} ${problem}`);
    }
  };
  return clock.every(CHECK_EVERY_MS, () => {
    check().catch((error: unknown) =>
      log.error({ err: error, file }, "the time of the certificate was not checked"),
    );
  });
}
