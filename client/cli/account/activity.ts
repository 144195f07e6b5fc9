// Reports to the server that the user is active, for programs whose link only receives: at most once a second.
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Account } from "../../link/server/account.ts";

/** The shortest time between two reports, ms: far below usual idle time-outs, and little load from a fast script. */
const EVERY_MS = 1_000;

export class Activity {
  readonly #account: Pick<Account, "reportActivity">;
  readonly #failed: (error: unknown) => void;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @param failed called with an error that is a fault of this program */
  constructor(account: Pick<Account, "reportActivity">, failed: (error: unknown) => void) {
    this.#account = account;
    this.#failed = failed;
  }

  /** Reports activity. A report that does not arrive is not repeated. */
  report(): void {
    const now = performance.now();
    if (now - this.#reportedAt < EVERY_MS) return;
    this.#reportedAt = now;
    this.#account.reportActivity().catch((error: unknown) => {
      // If the session has ended, the link reports it.
      if (!(error instanceof RpcError || error instanceof ConnectError)) this.#failed(error);
    });
  }
}
