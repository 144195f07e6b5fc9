// Tells the server that somebody is at work here, where a link only receives: once a second at most.
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Account } from "../../link/server/account.ts";

/** Far below any time-out that an operator would set, and no load, however fast a script's lines come, ms. */
const EVERY_MS = 1_000;

export class Activity {
  readonly #account: Pick<Account, "reportActivity">;
  readonly #failed: (error: unknown) => void;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @param failed hears of a fault of this program */
  constructor(account: Pick<Account, "reportActivity">, failed: (error: unknown) => void) {
    this.#account = account;
    this.#failed = failed;
  }

  /** Somebody is at work now. Lost where the server cannot be told: the next one tells it. */
  report(): void {
    const now = performance.now();
    if (now - this.#reportedAt < EVERY_MS) return;
    this.#reportedAt = now;
    this.#account.reportActivity().catch((error: unknown) => {
      // Where the session is over, the link says so.
      if (!(error instanceof RpcError || error instanceof ConnectError)) this.#failed(error);
    });
  }
}
