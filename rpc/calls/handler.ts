// Makes a service for a grpc-js Server from async handlers: errors become statuses with details, and streams get an
// outbox and a frame reader.
import {
  type ServerDuplexStream,
  type ServiceDefinition,
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
import { refusalIn } from "./message-reader.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";
import { defaultBounds, type MethodBounds, type RequestBounds } from "./request-bounds.ts";

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
  /** The bounds of the request messages; by default 256 KiB and 16 Ki fields. */
  readonly bounds?: RequestBounds;
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

/**
 * A handler for calls that are checked before a byte of their request is read. `admit` throws an RpcError to refuse the
 * call, or returns the handler for it.
 */
export interface Admitting<Handler> {
  admit(call: CallContext): Promise<Handler>;
}

type RequestOf<M extends Method> = ReturnType<M["requestDeserialize"]>;
type ResponseOf<M extends Method> = Parameters<M["responseSerialize"]>[0];

type HandlerOf<M extends Method> = M["responseStream"] extends true
  ? M["requestStream"] extends true
    ? BidiHandler<RequestOf<M>>
    : ServerStreamHandler<RequestOf<M>>
  : UnaryHandler<RequestOf<M>, ResponseOf<M>>;

/** One async handler for each method of a generated definition. Client streaming is not supported. */
export type Handlers<D extends Definition> = {
  readonly [M in keyof D]: HandlerOf<D[M]> | Admitting<HandlerOf<D[M]>>;
};

/** The options of a service; for each method that is named, other bounds. */
export type ServiceOptionsOf<D extends Definition> = ServiceOptions & {
  readonly methodBounds?: { readonly [M in keyof D]?: RequestBounds };
};

/** A service to pass to `listen`, or to Server.addService. */
export interface Service {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** The bounds of the requests of each method, by its path. The listener applies them. */
  readonly bounds: ReadonlyMap<string, MethodBounds>;
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
  options: ServiceOptionsOf<D>,
): Service {
  const lingering = new LingeringCalls(options.lingerMs);
  const parts: Parts = { options, lingering };
  const implementation: UntypedServiceImplementation = {};
  const methods: Record<string, Method> = {};
  const bounds = new Map<string, MethodBounds>();
  for (const [name, method] of Object.entries(strictDefinition(definition))) {
    const handler = handlers[name as keyof D];
    const own = options.methodBounds?.[name] ?? options.bounds ?? defaultBounds;
    const isAdmitting = typeof handler !== "function";
    bounds.set(method.path, { ...own, isStream: method.requestStream, isAdmitting });
    methods[name] = {
      ...method,
      // To grpc-js, every method is bidirectional: it calls handlers of these before it reads a message.
      requestStream: true,
      responseStream: true,
      requestDeserialize: (bytes: Buffer) => {
        const refusal = refusalIn(bytes);
        return refusal === undefined
          ? method.requestDeserialize(bytes, own.fields)
          : new Undecodable(refusal);
      },
      // Responses are encoded before grpc-js gets them, so that a failure to encode is reported here.
      responseSerialize: asBuffer,
    };
    implementation[name] = wrap(method, handler as UntypedHandler | Admitting<UntypedHandler>, parts);
  }
  const useCut = (cut: CutConnection): void => {
    lingering.cut = cut;
  };
  return { definition: methods as ServiceDefinition, implementation, bounds, useCut };
}

interface Parts {
  readonly options: ServiceOptions;
  readonly lingering: LingeringCalls;
}

type UntypedHandler = UnaryHandler<unknown, unknown> & ServerStreamHandler<unknown> & BidiHandler<unknown>;
type Call = ServerDuplexStream<unknown, Uint8Array>;

function wrap(
  method: Method,
  handler: UntypedHandler | Admitting<UntypedHandler>,
  parts: Parts,
): UntypedServiceImplementation[string] {
  if (method.requestStream && !method.responseStream)
    throw new Error(`${method.path}: client streaming is not supported.`);
  const answer = method.responseStream ? answerStream : answerUnary;
  return (call: Call) => void answer(method, handler, parts, call);
}

/** Never rejects. */
async function answerUnary(
  method: Method,
  handler: UntypedHandler | Admitting<UntypedHandler>,
  { options, lingering }: Parts,
  call: Call,
): Promise<void> {
  const context = new ServerCallContext(call);
  let answer: () => void;
  let refusal: RpcError | undefined;
  let bytes = 0;
  let sentBytes = 0;
  try {
    const admitted = await admit<UnaryHandler<unknown, unknown>>(handler, context);
    const request = await readRequest(call, context);
    const response = method.responseSerialize((await admitted(request, context)) as never);
    const compressed = context.compress ? await compressedAnswer(call, response) : undefined;
    bytes = response.length;
    sentBytes = compressed?.length ?? bytes;
    answer = () => {
      if (compressed !== undefined) sendCompressed(call, ENCODING, compressed);
      call.write(compressed ?? response);
      call.end();
    };
  } catch (error) {
    const failure = toRpcError(error, context, options);
    refusal = failure;
    answer = () => call.emit("error", toStatus(failure));
  }
  context.settle(bytes, sentBytes);
  options.onEnded?.(methodName(context), refusal);
  if (context.hasEnded) return;
  lingering.watch(call, context.peer);
  attempt(answer, context, options);
}

/** Never rejects. */
async function answerStream(
  method: Method,
  handler: UntypedHandler | Admitting<UntypedHandler>,
  { options, lingering }: Parts,
  call: Call,
): Promise<void> {
  const context = new ServerCallContext(call);
  const out = new Outbox(call, options.outbox ?? defaultOutbox);
  let ending: RpcError | undefined;
  try {
    const admitted = await admit<UntypedHandler>(handler, context);
    if (method.requestStream) {
      await admitted(new FrameReader(call), out, context);
    } else {
      const request = await readRequest(call, context);
      await admitted(request as FrameReader<unknown>, out, context);
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

async function admit<Handler extends (...args: never[]) => unknown>(
  handler: Handler | Admitting<Handler>,
  context: ServerCallContext,
): Promise<Handler> {
  const admitted = typeof handler === "function" ? handler : await handler.admit(context);
  if (context.hasEnded) throw cancelled();
  return admitted;
}

/** Reads the one request of a call, and the end of the caller's side. @throws RpcError UNDECODABLE, CANCELLED */
async function readRequest(call: Call, context: ServerCallContext): Promise<unknown> {
  const frames = new FrameReader(call);
  const request = await frames.next();
  if (request === undefined && context.hasEnded) throw cancelled();
  if (request === undefined) {
    const message = "The call has no request message.";
    throw new RpcError({ code: status.INVALID_ARGUMENT, reason: "UNDECODABLE", message });
  }
  // The reader of the messages refuses a second one, which is thrown here.
  await frames.next();
  if (context.hasEnded) throw cancelled();
  return request;
}

/** It is only reported, because the call has ended. */
function cancelled(): RpcError {
  return new RpcError({ code: status.CANCELLED, reason: "CANCELLED", message: "The call was cancelled." });
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
