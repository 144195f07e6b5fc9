// Notices when a user replaces a request for a relayed private chat by one for a direct chat. An answer typed for the
// first request must not accept the second one, which would show the address of this device.
import type { Clock } from "../../../../time/clock.ts";

/** How long a user may need from reading a request to entering the answer, ms. */
const ANSWERING_MS = 10_000;

interface Request {
  readonly direct: boolean;
  /** Monotonic, ms. */
  readonly time: number;
  readonly hasChanged: boolean;
}

export class ChangedRequests {
  readonly #clock: Clock;
  /** The last request of each user. */
  readonly #last = new Map<string, Request>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of a request that is shown to the user. */
  requested(username: string, direct: boolean): void {
    const before = this.#last.get(username);
    const hasChanged = direct && this.#isRecent(before) && (before.hasChanged || !before.direct);
    for (const [name, request] of this.#last) if (!this.#isRecent(request)) this.#last.delete(name);
    this.#last.set(username, { direct, time: this.#clock.monotonic(), hasChanged });
  }

  /** Whether the request of this user has become a direct one within ANSWERING_MS. */
  hasChanged(username: string): boolean {
    const request = this.#last.get(username);
    return this.#isRecent(request) && request.hasChanged;
  }

  #isRecent(request: Request | undefined): request is Request {
    return request !== undefined && this.#clock.monotonic() - request.time < ANSWERING_MS;
  }
}
