// All private parts of grpc-js that this project uses. Its version is pinned exactly; before an upgrade see
// test/rpc/grpc-js-internals.test.ts.
import type { IncomingHttpHeaders, SecureServerOptions, ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { Metadata, type Server, ServerCredentials, type UntypedHandleCall } from "@grpc/grpc-js";

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
