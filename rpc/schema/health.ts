// The standard health service (https://grpc.io/docs/guides/health-checking).
import { status } from "@grpc/grpc-js";
import {
  HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../gen/health/v1/health.ts";
import { implementService, type Service, type ServiceOptions } from "../calls/handler.ts";
import type { Outbox } from "../calls/outbox.ts";
import { RpcError } from "../status/status.ts";
import { LongCalls } from "./long-calls.ts";

const KiB = 1024;
/** A request contains one name. */
const bounds = { bytes: KiB, fields: 16 };
/** A frame limit of 1 byte makes each status a separate message. */
const outbox = { softBytes: 16 * KiB, hardBytes: 64 * KiB, maxFrameBytes: 1 };

/**
 * All services have the same status, since they use the same store, unless one is degraded. The service "" is the server
 * as a whole.
 */
export class Health {
  readonly #names: ReadonlySet<string>;
  readonly #degraded = new Set<string>();
  readonly #watchers = new Set<() => void>();
  readonly #calls = new LongCalls();
  #status: Serving = Serving.SERVING;

  /** @param services the fully-qualified names of the services */
  constructor(services: readonly string[]) {
    this.#names = new Set(["", ...services]);
  }

  /** Sets the status to NOT_SERVING, sends it to all watchers, and ends their calls. */
  stop(): void {
    this.#status = Serving.NOT_SERVING;
    for (const notify of this.#watchers) notify();
  }

  /** Sets the status of one service to NOT_SERVING for good. The server as a whole stays as it is. */
  degrade(service: string): void {
    if (this.#degraded.has(service)) return;
    this.#degraded.add(service);
    for (const notify of this.#watchers) notify();
  }

  #statusOf(service: string): Serving {
    return this.#degraded.has(service) ? Serving.NOT_SERVING : this.#status;
  }

  service(options: ServiceOptions): Service {
    return implementService(
      HealthService,
      {
        check: ({ service }) => {
          if (this.#names.has(service)) return Promise.resolve({ status: this.#statusOf(service) });
          const message = `There is no service ${service}.`;
          throw new RpcError({ code: status.NOT_FOUND, reason: "", message });
        },
        list: () =>
          Promise.resolve({
            statuses: Object.fromEntries(
              [...this.#names].map((name) => [name, { status: this.#statusOf(name) }]),
            ),
          }),
        watch: ({ service }, out, call) => this.#watch(service, out, call.signal),
      },
      { ...options, bounds, outbox },
    );
  }

  /** Sends the status now and when it changes. The call of an unknown service stays open, as the protocol requires. */
  async #watch(service: string, out: Outbox, signal: AbortSignal): Promise<void> {
    const known = this.#names.has(service);
    const stopped = Promise.withResolvers<void>();
    let last: Serving | undefined;
    const notify = (): void => {
      const current = known ? this.#statusOf(service) : Serving.SERVICE_UNKNOWN;
      if (this.#status === Serving.NOT_SERVING) stopped.resolve();
      if (current === last) return;
      last = current;
      out.push(HealthCheckResponse.encode({ status: current }).finish());
    };
    using call = this.#calls.enter();
    this.#watchers.add(notify);
    call.signal.addEventListener("abort", () => stopped.reject(call.signal.reason));
    signal.addEventListener("abort", () => stopped.resolve());
    if (signal.aborted) stopped.resolve();
    try {
      notify();
      await stopped.promise;
    } finally {
      this.#watchers.delete(notify);
    }
  }
}
