// All private parts of grpc-js that this project uses. Its version is pinned exactly; before an upgrade see
// test/rpc/grpc-js-internals.test.ts.
import type {
  Http2Server,
  IncomingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Stream,
  ServerOptions,
} from "node:http2";
import type { Readable } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import {
  Metadata,
  type Server,
  ServerCredentials,
  type ServerInterceptingCall,
  type ServerInterceptor,
  type UntypedHandleCall,
} from "@grpc/grpc-js";

/** What `Server` keeps for each bidirectional method that was passed to addService. */
export interface RegisteredBidiHandler {
  readonly func: UntypedHandleCall;
  readonly serialize: (value: never) => Buffer;
  readonly deserialize: (bytes: Buffer) => unknown;
  readonly type: "bidi";
  readonly path: string;
}

/**
 * Makes the server answer calls of unknown methods with this handler. grpc-js has no public way to do this: it looks the
 * path up in its private map `handlers`, and answers UNIMPLEMENTED without details if the path is missing.
 */
export function setFallbackHandler(server: Server, handlerOf: (path: string) => RegisteredBidiHandler): void {
  const handlers = Reflect.get(server, "handlers") as Map<string, unknown>;
  const get = handlers.get.bind(handlers);
  handlers.get = (path) => get(path) ?? handlerOf(path);
}

/**
 * Calls `onRead` whenever the stream of a call asks grpc-js for the next message, which grpc-js reads when `read` is
 * called. If grpc-js already has the message, it pushes it synchronously, and the stream asks again before it emits
 * "data".
 */
export function interceptReads(call: Readable, onRead: (read: () => void) => void): void {
  const read = call._read.bind(call);
  call._read = (size) => onRead(() => read(size));
}

const ACCEPTED = "grpc-accept-encoding";
/** By HTTP/2 stream: the header that grpc-js removes from the metadata of the call. */
const accepted = new WeakMap<object, string>();

/** A call of the server: its public object, and what sends its messages. */
interface ServerCall {
  readonly call: { readonly stream: object; serializeMessage: (message: Buffer) => Buffer };
  sendMetadata(metadata: Metadata): void;
}

/**
 * Remembers which encodings the client of each call accepts. Call it after the server has its connection injector, and
 * before the first connection.
 */
export function rememberEncodings(server: Server): void {
  const listeners = Reflect.get(server, "http2Servers") as Map<NodeJS.EventEmitter, unknown>;
  for (const http2 of listeners.keys()) {
    http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const value = headers[ACCEPTED];
      if (typeof value === "string") accepted.set(stream, value);
    });
  }
}

/** The encodings that the client of a unary call accepts for messages. */
export function acceptedEncodings(call: object): string[] {
  const header = accepted.get((call as ServerCall).call.stream) ?? "";
  return header.split(",").map((name) => name.trim());
}

/**
 * Makes a unary call send its answer, which must be compressed already, with the flag and the header of the encoding.
 * grpc-js always writes the flag for "not compressed".
 */
export function sendCompressed(call: object, encoding: string, compressed: Buffer): void {
  const { call: inner } = call as ServerCall;
  const metadata = new Metadata();
  metadata.set("grpc-encoding", encoding);
  (call as ServerCall).sendMetadata(metadata);
  inner.serializeMessage = () => {
    const frame = Buffer.allocUnsafe(compressed.length + 5);
    frame.writeUInt8(1, 0);
    frame.writeUInt32BE(compressed.length, 1);
    frame.set(compressed, 5);
    return frame;
  };
}

/** Sets options of Node's http2 that grpc-js has no options for, with and without TLS. Call it before injectors exist. */
export function setHttp2Options(server: Server, options: Omit<ServerOptions, "settings">): void {
  Object.assign(Reflect.get(server, "commonServerOptions") as ServerOptions, options);
}

/**
 * Calls `onRequest` with the headers of each request before grpc-js reads them: first as Node joined them, in an object
 * that may be changed, then as they arrived, names and values in turn. Call it after createConnectionInjector.
 */
export function inspectRequests(
  server: Server,
  onRequest: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) => void,
): void {
  const servers = Reflect.get(server, "http2Servers") as Map<Http2Server, unknown>;
  for (const http2 of servers.keys()) {
    http2.prependListener(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: readonly string[]) =>
        onRequest(stream, headers, raw),
    );
  }
}

/** An incoming call before it starts. */
export interface RawCall {
  readonly stream: ServerHttp2Stream;
  /** The same call, as an interceptor returns it. An intercepting call around it would only pass everything on. */
  readonly intercepted: ServerInterceptingCall;
  /**
   * Replaces the decoder of grpc-js, which keeps unfinished messages up to the limit of the listener.
   * @param decode is called with the bytes that arrive, and returns the messages that are whole, each with a prefix of
   * five bytes; it must not throw
   */
  decodeWith(decode: (data: Buffer) => Buffer[]): void;
}

type InterceptedCall = Parameters<ServerInterceptor>[1];

export function rawCall(call: InterceptedCall): RawCall {
  return {
    stream: Reflect.get(call, "stream") as ServerHttp2Stream,
    intercepted: call as unknown as ServerInterceptingCall,
    decodeWith: (decode) => Reflect.set(call, "decoder", { write: decode }),
  };
}

/** Announces that the server takes no compressed messages. By default grpc-js announces gzip and deflate. */
export function acceptOnlyIdentity(call: InterceptedCall): void {
  const send = call.sendMetadata.bind(call);
  call.sendMetadata = (metadata) => {
    metadata.set("grpc-accept-encoding", "identity");
    send(metadata);
  };
}

/**
 * TLS with options of Node's http2. It uses a constructor that is meant for grpc-js's own subclasses, because createSsl
 * has no parameter for these options. They are spread into `http2.createSecureServer`. `settings` must not be among
 * them, because they would replace those of grpc-js, which bound the open calls.
 */
export class SecureServerCredentials extends ServerCredentials {
  constructor(http2: Omit<SecureServerOptions, "settings">, context: SecureContextOptions) {
    super(http2, context);
  }

  /** Replaces the TLS context for new connections. Open connections keep theirs. */
  replaceContext(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
