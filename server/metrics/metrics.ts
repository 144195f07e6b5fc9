// The figures of a server for Prometheus. No label has a name, an id or an address, so their number is bounded.
import { X509Certificate } from "node:crypto";
import { statfs } from "node:fs/promises";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ServerObserver, ServerState } from "../observer.ts";
import type { Store } from "../store/store.ts";
import { measuredLog } from "./measured-log.ts";

export interface MetricSources {
  readonly state: () => ServerState;
  /** The certificate in use, PEM; undefined if the server serves plaintext. */
  readonly certificate: () => string | undefined;
  /** The data folder, for the free disk space. */
  readonly folder: string;
  readonly version: string;
  /** The wall clock, ms since 1970. */
  readonly now: () => number;
}

/** Seconds. A commit takes 1 to 10 ms on an SSD; a stalled disk takes seconds. */
const COMMIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const DAY_MS = 86_400_000;

export class Metrics implements ServerObserver {
  readonly #registry = new Registry();
  readonly #calls = this.#counter("parley_calls_total", "Calls that have ended, by method.", "method");
  readonly #refusals = this.#counter(
    "parley_refusals_total",
    "Refused calls and commands, and ended streams, by reason.",
    "reason",
  );
  readonly #messages = this.#counter(
    "parley_messages_total",
    "Messages that were stored, by kind of conversation.",
    "conversation",
  );
  readonly #failures = this.#counter(
    "parley_commit_failures_total",
    "Messages that the store could not commit.",
  );
  readonly #problems = this.#counter(
    "parley_store_problems_total",
    "Problems of the files of the store, by kind. The log names the files.",
    "kind",
  );
  readonly #commits = new Histogram({
    name: "parley_commit_seconds",
    help: "How long a message took to be stored, including the wait for earlier commits.",
    buckets: COMMIT_BUCKETS,
    registers: [this.#registry],
  });

  constructor() {
    // Counters without labels are 0 from the start. Those with labels appear with their first value.
    for (const conversation of ["direct", "broadcast"]) this.#messages.inc({ conversation }, 0);
  }

  callEnded(method: string, reason: string | undefined): void {
    this.#calls.inc({ method });
    if (reason !== undefined) this.#refusals.inc({ reason });
  }

  commandRefused(reason: string): void {
    this.#refusals.inc({ reason });
  }

  /** The same store, whose commits and problems are counted. */
  measured(store: Store): Store {
    const { serverId, broadcastId, accounts, admin, nodes, presence, blocks, logIns, identities } = store;
    const log = measuredLog(store.log, broadcastId, {
      appended: (conversation, status, ms) => {
        if (status === "failed") this.#failures.inc();
        if (status !== "stored") return;
        this.#messages.inc({ conversation });
        this.#commits.observe(ms / 1000);
      },
    });
    return {
      serverId,
      broadcastId,
      accounts,
      admin,
      log,
      nodes,
      presence,
      blocks,
      logIns,
      identities,
      onExternalChange: (listener) => store.onExternalChange(listener),
      // Only the server listens, so each problem is counted once.
      onProblem: (listener) =>
        store.onProblem((problem) => {
          this.#problems.inc({ kind: problem.kind });
          listener(problem);
        }),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  }

  /** Adds the figures that are read when they are asked for, and those of the process. */
  observe({ state, certificate, folder, version, now }: MetricSources): void {
    this.#gauge("parley_connections", "Open connections.", () => state().connections);
    this.#gauge("parley_streams", "Open event streams.", () => state().streams);
    this.#gauge("parley_users", "Users with an open event stream.", () => state().users);
    this.#gauge(
      "parley_outbox_bytes",
      "Bytes that wait to be sent on all event streams.",
      () => state().outboxBytes,
    );
    this.#gauge("parley_disk_free_bytes", "Free bytes on the disk of the data folder.", async () => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    });
    if (certificate() !== undefined) {
      this.#gauge(
        "parley_certificate_days_left",
        "Days until the certificate expires; negative after that.",
        () => {
          const pem = certificate();
          return pem === undefined
            ? Number.NaN
            : (new X509Certificate(pem).validToDate.getTime() - now()) / DAY_MS;
        },
      );
    }
    new Gauge({
      name: "parley_info",
      help: "The version of the server.",
      labelNames: ["version"],
      registers: [this.#registry],
    }).set({ version }, 1);
    collectDefaultMetrics({ register: this.#registry });
  }

  /** All figures in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await readOr(read, Number.NaN));
      },
    });
  }
}

/** One figure that cannot be read must not hide the others. */
async function readOr(read: () => number | Promise<number>, otherwise: number): Promise<number> {
  try {
    return await read();
  } catch {
    return otherwise;
  }
}
