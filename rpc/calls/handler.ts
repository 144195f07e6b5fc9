// Makes a service for a grpc-js Server from async handlers: errors become statuses with details, and streams get an
// outbox and a frame reader.
import {
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { waitFor } from "../../time/wait.ts";
import { sendCompressed } from "../grpc-js-internals.ts";
import { RpcError, toStatus } from "../status/status.ts";
import { asBuffer } from "../wire/bytes.ts";
import { type CallContext, ServerCallContext } from "./call-context.ts";
import { compressedAnswer, ENCODING } from "./compressed-answer.ts";
import { type Definition, type Method, strictDefinition, Undecodable } from "./decode.ts";
import { FrameReader } from "./frame-reader.ts";
import { type CutConnection, LingeringCalls } from "./lingering-calls.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";

export type { CallContext } from "./call-context.ts";
export { FrameReader } from "./frame-reader.ts";

/** When a refusal ends a stream: how long the queued frames may take to be sent first, ms. */
const FLUSH_MS = 1_000;
/** The same for a stream that ends with OK. If they take longer, it ends with an error. */
const LAST_FLUSH_MS = 10_000;

const KiB = 1024;
const defaultOutbox: OutboxOptions = { softBytes: 256 * KiB, hardBytes: 1024 * KiB, maxFrameBytes: 64 * KiB };

export interface ServiceOptions {
  /** Called for every failure that is not an RpcError. The caller sees it as INTERNAL. This function must not throw. */
  readonly onError: (error: unknown, method: string) => void;
  /**
   * Called when a call has ended, with its method ("AuthService/LogIn") and the error that its caller receives. This
   * function must not throw.
   */
  readonly onEnded?: ((method: string, error: RpcError | undefined) => void) | undefined;
  /**
   * The longest request message, bytes. Give the listener a higher limit: a message between the two limits is refused
   * with details, and grpc-js refuses one above the listener's limit without details.
   */
  readonly requestBytes?: number;
  /** Options of the outbox of every stream; by default softBytes 256 KiB, hardBytes 1 MiB and maxFrameBytes 64 KiB. */
  readonly outbox?: OutboxOptions;
  /** How long the peer of an ended call may take to receive the rest before its connection is cut, ms. */
  readonly lingerMs?: number;
}

export type UnaryHandler<Request, Response> = (request: Request, call: CallContext) => Promise<Response>;
export type ServerStreamHandler<Request> = (
  request: Request,
  out: Outbox,
  call: CallContext,
) => Promise<void>;
export type BidiHandler<Request> = (
  frames: FrameReader<Request>,
  out: Outbox,
  call: CallContext,
) => Promise<void>;

type RequestOf<M extends Method> = ReturnType<M["requestDeserialize"]>;
type ResponseOf<M extends Method> = Parameters<M["responseSerialize"]>[0];

type HandlerOf<M extends Method> = M["responseStream"] extends true
  ? M["requestStream"] extends true
    ? BidiHandler<RequestOf<M>>
    : ServerStreamHandler<RequestOf<M>>
  : UnaryHandler<RequestOf<M>, ResponseOf<M>>;

/** One async handler for each method of a generated definition. Client streaming is not supported. */
export type Handlers<D extends Definition> = { readonly [M in keyof D]: HandlerOf<D[M]> };

/** A service to pass to `listen`, or to Server.addService. */
export interface Service {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** Sets how the service cuts the connection of a peer that does not receive the rest of an ended call. */
  readonly useCut: (cut: CutConnection) => void;
}

/**
 * Requests are decoded strictly. A malformed one is answered with INVALID_ARGUMENT and UNDECODABLE: unary and
 * server-streaming handlers are not called for it, and in a bidirectional handler `frames.next` throws this error.
 *
 * If a handler throws an RpcError, the call ends with it. On a stream, queued frames have one second to be sent first.
 * Any other failure goes to `onError`, and the call ends with INTERNAL. No failure becomes an unhandled rejection. A
 * stream ends with OK when its handler returns.
 */
export function implementService<D extends Definition>(
  definition: D,
  handlers: Handlers<D>,
  options: ServiceOptions,
): Service {
  const lingering = new LingeringCalls(options.lingerMs);
  const parts: Parts = { options, lingering };
  const implementation: UntypedServiceImplementation = {};
  const methods: Record<string, Method> = {};
  for (const [name, method] of Object.entries(strictDefinition(definition))) {
    const handler = handlers[name as keyof D];
    // Responses are encoded before grpc-js gets them, so that a failure to encode is reported here.
    methods[name] = { ...bounded(method, options.requestBytes), responseSerialize: asBuffer };
    implementation[name] = wrap(method, handler as UntypedHandler, parts);
  }
  const useCut = (cut: CutConnection): void => {
    lingering.cut = cut;
  };
  return { definition: methods as ServiceDefinition, implementation, useCut };
}

function bounded(method: Method, most = Number.POSITIVE_INFINITY): Method {
  return {
    ...method,
    requestDeserialize: (bytes: Buffer) =>
      bytes.length <= most
        ? method.requestDeserialize(bytes)
        : new Undecodable(
            undefined,
            `The request has ${bytes.length} bytes, and at most ${most} are allowed.`,
          ),
  };
}

interface Parts {
  readonly options: ServiceOptions;
  readonly lingering: LingeringCalls;
}

type UntypedHandler = UnaryHandler<unknown, unknown> & ServerStreamHandler<unknown> & BidiHandler<unknown>;

function wrap(method: Method, handler: UntypedHandler, parts: Parts): UntypedServiceImplementation[string] {
  if (!method.responseStream) {
    if (method.requestStream) throw new Error(`${method.path}: client streaming is not supported.`);
    return (call: ServerUnaryCall<unknown, Uint8Array>, callback: sendUnaryData<Uint8Array>) => {
      void answerUnary(method, handler, parts, call, callback);
    };
  }
  return (call: ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>) => {
    void answerStream(handler, parts, call);
  };
}

/** Never rejects. */
async function answerUnary(
  method: Method,
  handler: UnaryHandler<unknown, unknown>,
  { options, lingering }: Parts,
  call: ServerUnaryCall<unknown, Uint8Array>,
  callback: sendUnaryData<Uint8Array>,
): Promise<void> {
  const context = new ServerCallContext(call);
  let answer: () => void;
  let refusal: RpcError | undefined;
  let bytes = 0;
  let sentBytes = 0;
  try {
    if (call.request instanceof Undecodable) throw call.request.toRpcError();
    const response = method.responseSerialize((await handler(call.request, context)) as never);
    const compressed = context.compress ? await compressedAnswer(call, response) : undefined;
    bytes = response.length;
    sentBytes = compressed?.length ?? bytes;
    answer = () => {
      if (compressed !== undefined) sendCompressed(call, ENCODING, compressed);
      callback(null, compressed ?? response);
    };
  } catch (error) {
    const failure = toRpcError(error, context, options);
    refusal = failure;
    answer = () => callback(toStatus(failure), null);
  }
  context.settle(bytes, sentBytes);
  options.onEnded?.(methodName(context), refusal);
  if (context.hasEnded) return;
  lingering.watch(call, context.peer);
  attempt(answer, context, options);
}

/** Never rejects. */
async function answerStream(
  handler: UntypedHandler,
  { options, lingering }: Parts,
  call: ServerWritableStream<unknown, Buffer> | ServerDuplexStream<unknown, Buffer>,
): Promise<void> {
  const context = new ServerCallContext(call);
  const out = new Outbox(call, options.outbox ?? defaultOutbox);
  let ending: RpcError | undefined;
  try {
    if ("request" in call) {
      if (call.request instanceof Undecodable) throw call.request.toRpcError();
      await handler(call.request as FrameReader<unknown>, out, context);
    } else {
      await handler(new FrameReader(call), out, context);
    }
    await flush(out, LAST_FLUSH_MS);
    if (out.bytes > 0) {
      const message = "The stream was not read to its end.";
      ending = new RpcError({ code: status.DEADLINE_EXCEEDED, reason: "", message });
    }
  } catch (error) {
    ending = toRpcError(error, context, options);
    await flush(out, FLUSH_MS);
  }
  out.close();
  context.settle();
  options.onEnded?.(methodName(context), ending);
  if (context.hasEnded) return;
  lingering.watch(call, context.peer);
  attempt(() => (ending === undefined ? call.end() : call.emit("error", toStatus(ending))), context, options);
}

/** "AuthService/LogIn", from "/parley.chat.v1.AuthService/LogIn". */
function methodName({ method }: CallContext): string {
  const [, service = "", name = ""] = method.split("/");
  return `${service.slice(service.lastIndexOf(".") + 1)}/${name}`;
}

/** Waits until everything is sent or the stream is closed, but at most `timeoutMs`. */
async function flush(out: Outbox, timeoutMs: number): Promise<void> {
  await waitFor(out.whenFlushed(), { ms: timeoutMs });
}

function toRpcError(error: unknown, context: CallContext, options: ServiceOptions): RpcError {
  if (error instanceof RpcError) return error;
  report(error, context, options);
  return new RpcError({
    code: status.INTERNAL,
    reason: "INTERNAL",
    message: "Something failed inside the server.",
  });
}

function attempt(answer: () => void, context: CallContext, options: ServiceOptions): void {
  try {
    answer();
  } catch (error) {
    report(error, context, options);
  }
}

function report(error: unknown, context: CallContext, options: ServiceOptions): void {
  try {
    options.onError(error, context.method);
  } catch (failure) {
    process.emitWarning(failure instanceof Error ? failure : String(failure));
  }
}
