// Notices when the process has used up its file descriptors. Connections are then closed before Node.js sees them, so
// nothing else would say why clients cannot connect.
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../log.ts";

const EVERY_MS = 2_000;
/** How long after a line the next one may come, ms. */
const AGAIN_AFTER_MS = 10 * 60_000;

/** @param probe opens and closes a file; replaced by tests */
export function watchDescriptors(log: Log, clock: Clock, probe = openAndClose): Disposable {
  let loggedAt: number | undefined;
  return clock.every(EVERY_MS, () => {
    try {
      probe();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EMFILE" && code !== "ENFILE") return;
      const now = clock.now();
      if (loggedAt !== undefined && Math.abs(now - loggedAt) < AGAIN_AFTER_MS) return;
      loggedAt = now;
      const limit = code === "EMFILE" ? "of this process (ulimit -n)" : "of this machine";
      log.error(
        { event: "no file descriptors", err: error },
        `all file descriptors ${limit} are in use, so new connections are closed; raise the limit`,
      );
    }
  });
}

function openAndClose(): void {
  closeSync(openSync(devNull, "r"));
}
