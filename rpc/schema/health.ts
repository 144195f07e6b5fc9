// The standard health service (https://grpc.io/docs/guides/health-checking): whether each service can be called now.
import { status } from "@grpc/grpc-js";
import {
  HealthCheckResponse,
  HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../gen/health/v1/health.ts";
import { implementService, type Service, type ServiceOptions } from "../calls/handler.ts";
import type { Outbox } from "../calls/outbox.ts";
import { RpcError } from "../status/status.ts";

const KiB = 1024;
const REQUEST_BYTES = 4 * KiB;
/** Each status is a message of its own. */
const outbox = { softBytes: 16 * KiB, hardBytes: 64 * KiB, maxFrameBytes: 1 };

/** All services come and go together: they stand on one store. "" is the server as a whole. */
export class Health {
  readonly #names: ReadonlySet<string>;
  readonly #watchers = new Set<() => void>();
  #status: Serving = Serving.SERVING;

  /** @param services fully-qualified names */
  constructor(services: readonly string[]) {
    this.#names = new Set(["", ...services]);
  }

  /** From now on nothing can be called; whoever watches is told, and its call ends. */
  stop(): void {
    this.#status = Serving.NOT_SERVING;
    for (const tell of this.#watchers) tell();
  }

  service(options: ServiceOptions): Service {
    return implementService(
      HealthService,
      {
        check: ({ service }) => {
          if (this.#names.has(service)) return Promise.resolve({ status: this.#status });
          const message = `There is no service ${service}.`;
          throw new RpcError({ code: status.NOT_FOUND, reason: "", message });
        },
        list: () =>
          Promise.resolve({
            statuses: Object.fromEntries([...this.#names].map((name) => [name, { status: this.#status }])),
          }),
        watch: ({ service }, out, call) => this.#watch(service, out, call.signal),
      },
      { ...options, requestBytes: REQUEST_BYTES, outbox },
    );
  }

  /** Tells the status at once and when it changes. An unknown service may be there one day: the call goes on. */
  async #watch(service: string, out: Outbox, signal: AbortSignal): Promise<void> {
    const known = this.#names.has(service);
    const stopped = Promise.withResolvers<void>();
    const tell = (): void => {
      const current = known ? this.#status : Serving.SERVICE_UNKNOWN;
      out.push(HealthCheckResponse.encode({ status: current }).finish());
      if (this.#status === Serving.NOT_SERVING) stopped.resolve();
    };
    this.#watchers.add(tell);
    signal.addEventListener("abort", () => stopped.resolve());
    if (signal.aborted) stopped.resolve();
    try {
      tell();
      await stopped.promise;
    } finally {
      this.#watchers.delete(tell);
    }
  }
}
