// Unary calls that return a promise.
import {
  type ClientUnaryCall,
  type CallOptions as GrpcCallOptions,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { Undecodable } from "../calls/decode.ts";
import { bearer } from "../calls/metadata.ts";
import { fromServiceError, RpcError } from "../status/status.ts";

export interface CallOptions {
  /** Sent as "authorization: Bearer TOKEN". */
  readonly token?: string;
  /** How long the call may take, ms. */
  readonly timeoutMs: number;
  /** Cancels the call; the server may have carried it out. */
  readonly signal?: AbortSignal;
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<GrpcCallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** Names of the unary methods of a generated client. */
export type UnaryName<C> = {
  [M in keyof C & string]: C[M] extends Unary<never, infer _Response> ? M : never;
}[keyof C & string];

export type RequestOf<M> = M extends Unary<infer Request, infer _Response> ? Request : never;
export type ResponseOf<M> = M extends Unary<never, infer Response> ? Response : never;

/**
 * Calls a unary method of a generated client.
 * @throws RpcError for every failure: CANCELLED if `signal` was aborted, DEADLINE_EXCEEDED after `timeoutMs`
 */
export function call<C, M extends UnaryName<C>>(
  client: C,
  method: M,
  request: RequestOf<C[M]>,
  options: CallOptions,
): Promise<ResponseOf<C[M]>> {
  const { promise, resolve, reject } = Promise.withResolvers<ResponseOf<C[M]>>();
  const { signal } = options;
  if (signal?.aborted) return Promise.reject(cancelled(signal));
  const metadata = options.token === undefined ? new Metadata() : bearer(options.token);
  const deadline = Date.now() + options.timeoutMs;
  const unary = client[method] as Unary<RequestOf<C[M]>, ResponseOf<C[M]> | Undecodable>;
  const running = unary.call(client, request, metadata, { deadline }, (error, response) => {
    signal?.removeEventListener("abort", cancel);
    if (error !== null) reject(signal?.aborted ? cancelled(signal) : fromServiceError(error));
    else if (response instanceof Undecodable) reject(undecodable(response));
    else resolve(response);
  });
  const cancel = (): void => running.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  return promise;
}

function cancelled(signal: AbortSignal): RpcError {
  const message = "The call was cancelled.";
  return new RpcError({ code: status.CANCELLED, reason: "", message, cause: signal.reason });
}

function undecodable(response: Undecodable): RpcError {
  const message = "The bytes that the server answered with are not the expected message.";
  return new RpcError({ code: status.INTERNAL, reason: "UNDECODABLE", message, cause: response.cause });
}
