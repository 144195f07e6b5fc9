// Serves the metrics over plain HTTP, with bounds that keep a reader from harming the server.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { bind } from "../../rpc/listening/bind.ts";
import type { Metrics } from "./metrics.ts";

export interface MetricsEndpoint extends AsyncDisposable {
  /** The actual port, even if port 0 was requested. */
  readonly port: number;
}

export interface MetricsEndpointOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly onError: (error: unknown) => void;
}

/** Connections beyond this are closed. Prometheus needs one. */
const MOST_CONNECTIONS = 16;
const TIMEOUT_MS = 5_000;
const MOST_HEADER_BYTES = 8 * 1024;

/** @throws ListenError */
export async function serveMetrics(options: MetricsEndpointOptions): Promise<MetricsEndpoint> {
  const { host, port, metrics, onError } = options;
  const http = createServer(
    {
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      keepAliveTimeout: TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_MS,
      maxHeaderSize: MOST_HEADER_BYTES,
    },
    (request, response) => {
      answer(request, response, metrics).catch((error: unknown) => {
        onError(error);
        response.destroy();
      });
    },
  );
  // A response that is not read is cut, too.
  http.timeout = TIMEOUT_MS;
  let open = 0;
  const bound = await bind(host, port, (socket) => {
    socket.on("error", () => {});
    if (open >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    open += 1;
    socket.once("close", () => {
      open -= 1;
    });
    http.emit("connection", socket);
  });
  return {
    port: bound.port,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await Promise.all(bound.servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function answer(
  { method, url = "" }: IncomingMessage,
  response: ServerResponse,
  metrics: MetricsEndpointOptions["metrics"],
): Promise<void> {
  const [path] = url.split("?");
  if (path !== "/metrics") {
    response.writeHead(404, { "content-type": "text/plain" }).end("The figures are at /metrics.\n");
    return;
  }
  if (method !== "GET" && method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  response.writeHead(200, { "content-type": metrics.contentType }).end(await metrics.text());
}
