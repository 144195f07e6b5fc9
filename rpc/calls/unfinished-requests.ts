// Bounds the requests that have not arrived completely, and the answers that are delayed: their bytes by connection, by
// address and in all, and the time that the first message of a call may take. Above a bound, the oldest is ended, so that
// callers who send slowly on purpose do not keep out those who do not.
import { status } from "@grpc/grpc-js";
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import { RpcError } from "../status/status.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export interface UnfinishedLimits {
  /** How long it may take until the first message of a call has arrived, for unary calls also its half-close, ms. */
  readonly requestMs: number;
  /** The most bytes of unfinished requests of one connection, of one address, and in all. */
  readonly connectionBytes: number;
  readonly addressBytes: number;
  readonly totalBytes: number;
}

export const unfinishedLimits: UnfinishedLimits = {
  requestMs: 15_000,
  // 128 calls at the same time, with a message of 32 KiB each.
  connectionBytes: 7 * MiB,
  addressBytes: 16 * MiB,
  totalBytes: 128 * MiB,
};

/** What an open call takes in addition to the bytes of its request: 18 to 25 KiB, depending on its headers. */
const CALL_BYTES = 24 * KiB;
const RETRY_MS = 2_000;

interface Request {
  readonly end: (refusal: RpcError) => void;
  readonly budgets: readonly Budget[];
  bytes: number;
  /** Whether the call has ended, or was refused here. */
  isOver: boolean;
}

/** The unfinished requests of a connection, or of an address. */
export class Budget {
  readonly most: number;
  bytes = 0;
  /** In the order in which they began. */
  readonly requests = new Set<Request>();

  constructor(most: number) {
    this.most = most;
  }
}

/** One call whose request is unfinished. */
export interface UnfinishedRequest {
  /** Adds to the bytes that are kept for the request, or subtracts from them. */
  keep(bytes: number): void;
  /** The first message is complete. From now on there is no deadline, and only kept bytes count. */
  begun(): void;
  /** The call is answered later. It counts until it has ended, or until `answer` is called because of a bound. */
  held(answer: () => void): void;
  /** The call has ended. */
  ended(): void;
}

export class UnfinishedRequests implements Disposable {
  readonly #limits: UnfinishedLimits;
  readonly #clock: Clock;
  readonly #all: Budget;
  readonly #deadlines = new Map<Request, number>();
  #timer: Timer | undefined;

  constructor(limits: UnfinishedLimits = unfinishedLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#all = new Budget(limits.totalBytes);
  }

  /**
   * @param budgets those of the connection and of the address
   * @param end ends the call with the refusal
   */
  begin(budgets: readonly Budget[], end: (refusal: RpcError) => void): UnfinishedRequest {
    let request: Request = { end, budgets: [...budgets, this.#all], bytes: 0, isOver: false };
    this.#deadlines.set(request, this.#clock.monotonic() + this.#limits.requestMs);
    this.#timer ??= this.#clock.after(this.#limits.requestMs, () => this.#sweep());
    this.#add(request, CALL_BYTES);
    return {
      keep: (bytes) => this.#add(request, bytes),
      begun: () => {
        if (this.#deadlines.delete(request)) this.#add(request, -CALL_BYTES);
      },
      held: (answer) => {
        this.#forget(request);
        request = { ...request, end: answer, isOver: false };
        this.#add(request, CALL_BYTES);
      },
      ended: () => this.#forget(request),
    };
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #add(request: Request, bytes: number): void {
    if (request.isOver) return;
    const isNew = request.bytes === 0;
    request.bytes += bytes;
    for (const budget of request.budgets) {
      budget.bytes += bytes;
      if (request.bytes === 0) budget.requests.delete(request);
      else if (isNew) budget.requests.add(request);
    }
    if (bytes > 0) for (const budget of request.budgets) this.#reduce(budget);
  }

  #reduce(budget: Budget): void {
    while (budget.bytes > budget.most) {
      const [oldest] = budget.requests;
      if (oldest === undefined) return;
      this.#refuse(oldest, tooMany());
    }
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (const [request, deadline] of this.#deadlines) {
      if (deadline > now) {
        this.#timer = this.#clock.after(Math.ceil(deadline - now), () => this.#sweep());
        return;
      }
      this.#refuse(request, late(this.#limits.requestMs));
    }
  }

  #refuse(request: Request, refusal: RpcError): void {
    this.#forget(request);
    request.end(refusal);
  }

  #forget(request: Request): void {
    this.#deadlines.delete(request);
    this.#add(request, -request.bytes);
    request.isOver = true;
  }
}

function tooMany(): RpcError {
  return new RpcError({
    code: status.RESOURCE_EXHAUSTED,
    reason: "OVERLOADED",
    message: "Too many unfinished requests: this one took the longest. Send fewer at the same time.",
    retryDelayMs: RETRY_MS,
  });
}

function late(ms: number): RpcError {
  return new RpcError({
    code: status.DEADLINE_EXCEEDED,
    reason: "REQUEST_UNFINISHED",
    message: `The request did not arrive completely within ${ms / 1000} seconds.`,
  });
}
