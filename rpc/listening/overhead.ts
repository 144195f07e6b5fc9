// Finds connections that send mostly frames of HTTP/2 that carry nothing, such as WINDOW_UPDATE and PRIORITY. Node.js does
// not report such frames, and takes any number of them. What is known is how many bytes arrived, and how many of them were
// headers and messages.

const KiB = 1024;

export const overheadLimits = {
  /** The time between two samples, ms. */
  everyMs: 1_000,
  /** Overhead up to this many bytes in a sample is normal: 1,700 tiny messages, each in a TLS record of its own. */
  bytes: 64 * KiB,
  /** The number of samples in a row with more than that, after which a connection is cut. */
  samples: 3,
  /** Overhead of this many bytes in a single sample also cuts it, since a flood can reconnect every few seconds. */
  floodBytes: 1024 * KiB,
  /**
   * A client that reads sends a WINDOW_UPDATE now and then. For each byte that was sent to it, this part of a byte of
   * overhead is normal.
   */
  perByteSent: 1 / 4,
} as const;

/** The bytes of a connection since it was opened. */
export interface ByteCounts {
  readonly read: number;
  readonly written: number;
  /** Those of the read bytes that were headers of calls and messages. */
  readonly delivered: number;
}

export class OverheadMeter {
  #last: ByteCounts = { read: 0, written: 0, delivered: 0 };
  #samples = 0;

  /** Takes a sample. @returns whether the connection is to be cut */
  sample(now: ByteCounts): boolean {
    const delivered = now.delivered - this.#last.delivered;
    const overhead = now.read - this.#last.read - delivered;
    const normal = delivered + (now.written - this.#last.written) * overheadLimits.perByteSent;
    this.#last = now;
    const isAbove = overhead > overheadLimits.bytes && overhead > normal;
    this.#samples = isAbove ? this.#samples + 1 : 0;
    return (
      this.#samples >= overheadLimits.samples || (isAbove && overhead - normal > overheadLimits.floodBytes)
    );
  }
}
