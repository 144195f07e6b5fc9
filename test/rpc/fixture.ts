// A real listener with a scripted ChatService, and calls over bare HTTP/2, to send what a gRPC client would not.
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import { ErrorInfo } from "../../gen/google/rpc/error_details.ts";
import { Status } from "../../gen/google/rpc/status.ts";
import { ChatServiceClient, ChatServiceService } from "../../gen/parley/chat/v1/chat_service.ts";
import { passThrough } from "../../rpc/calls/decode.ts";
import { type Handlers, implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import { type Dialled, dial } from "../../rpc/dialling/dial.ts";
import { type Listener, type ListenOptions, listen } from "../../rpc/listening/listen.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";

export const definition = passThrough(ChatServiceService, ["sendMessage"]);
type ChatHandlers = Handlers<typeof definition>;

export interface TestService extends AsyncDisposable {
  readonly listener: Listener;
  readonly address: string;
  /** The failures of handlers that were not an RpcError. */
  readonly errors: unknown[];
}

export type ServeOptions = Partial<ListenOptions> & {
  readonly service?: Partial<ServiceOptions>;
  readonly definition?: typeof definition;
};

export async function serve(
  handlers: Partial<ChatHandlers>,
  options: ServeOptions = {},
): Promise<TestService> {
  const errors: unknown[] = [];
  const unscripted = (): Promise<never> => Promise.reject(new Error("not in the script"));
  const all: ChatHandlers = {
    connect: unscripted,
    follow: unscripted,
    sendMessage: unscripted,
    broadcast: unscripted,
    setMarkers: unscripted,
    setTyping: unscripted,
    reportActivity: unscripted,
    leave: unscripted,
    ...handlers,
  };
  const onError = (error: unknown): void => void errors.push(error);
  const service = implementService(options.definition ?? definition, all, { onError, ...options.service });
  const listener = await listen({ host: "127.0.0.1", port: 0, services: [service], ...options });
  return {
    listener,
    address: `127.0.0.1:${listener.port}`,
    errors,
    [Symbol.asyncDispose]: () => listener.stop({ graceMs: 0 }),
  };
}

export interface TestClient extends Disposable {
  readonly dialled: Dialled;
  readonly chat: ChatServiceClient;
}

/** A client over plaintext. */
export async function dialPlain(address: string): Promise<TestClient> {
  const dialled = await dial({ address, trust: { kind: "plaintext" } });
  return {
    dialled,
    chat: dialled.client(ChatServiceClient),
    [Symbol.dispose]: () => dialled[Symbol.dispose](),
  };
}

export interface BareSession extends Disposable {
  readonly session: ClientHttp2Session;
  readonly closed: Promise<void>;
  call(method: string, headers?: Record<string, string>): ClientHttp2Stream;
}

/** An HTTP/2 connection without gRPC on top. */
export async function bareSession(
  url: string,
  options: SecureClientSessionOptions = {},
): Promise<BareSession> {
  const session = connect(url, { rejectUnauthorized: false, ...options });
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  // From now on the session knows the limits of the server.
  await once(session, "remoteSettings");
  // Tests look at "close" instead.
  session.on("error", () => {});
  return {
    session,
    closed,
    call: (method, headers = {}) => {
      const stream = session.request({
        ":method": "POST",
        ":path": `/parley.chat.v1.ChatService/${method}`,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      stream.on("error", () => {});
      return stream;
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

/** A gRPC message with any bytes. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** The server has processed everything that was sent before it answers the ping. */
export function processed({ session }: BareSession): Promise<void> {
  return new Promise((resolve) => session.ping(() => resolve()));
}

/** The trailers of a call, also if they are sent as its only headers. */
export function endingOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>();
  stream.on("response", (headers) => {
    if (headers["grpc-status"] !== undefined || headers[":status"] !== 200) resolve(headers);
  });
  stream.on("trailers", resolve);
  stream.on("close", () => reject(new Error("the call ended without trailers")));
  stream.resume();
  return promise;
}

/** The reason in the trailers of a call. */
export function reasonOf(trailers: IncomingHttpHeaders): string | undefined {
  const packed = trailers["grpc-status-details-bin"];
  if (packed === undefined) return undefined;
  const [info] = Status.decode(Buffer.from(String(packed), "base64")).details;
  return info && ErrorInfo.decode(info.value).reason;
}

/** The error with which a stream ends; messages before it are ignored. */
export async function endingError(
  stream: ClientReadableStream<unknown> | ClientDuplexStream<never, unknown>,
): Promise<RpcError> {
  stream.on("data", () => {});
  const [error] = (await once(stream, "error")) as [unknown];
  return fromServiceError(error);
}
