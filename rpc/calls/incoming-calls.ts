// Prepares each incoming call before grpc-js reads from it: the reader of its messages, and its share of the bounds of its
// connection.
import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type Server, type ServerInterceptor, status } from "@grpc/grpc-js";
import type { Clock } from "../../time/clock.ts";
import { acceptOnlyIdentity, inspectRequests, rawCall } from "../grpc-js-internals.ts";
import { RpcError, toStatus } from "../status/status.ts";
import { MessageReader } from "./message-reader.ts";
import type { RefusalPace } from "./refusal-pace.ts";
import type { MethodBounds } from "./request-bounds.ts";
import type { Budget, UnfinishedRequests } from "./unfinished-requests.ts";

/** What is counted for a connection. */
export interface IncomingConnection {
  /** The budgets of its unfinished requests: its own, and that of its address. */
  readonly budgets: readonly Budget[];
  /** The bytes that arrived as headers of calls and as messages. */
  deliveredBytes: number;
  readonly refusals: RefusalPace;
}

export interface IncomingCallsOptions {
  /** The bounds of each method, by its path. */
  readonly bounds: ReadonlyMap<string, MethodBounds>;
  readonly unfinished: UnfinishedRequests;
  /** The connection of a session. It is called once for each. */
  connectionOf(session: ServerHttp2Session): IncomingConnection;
  readonly clock: Clock;
  /** How long a caller may take to end its side of an answered call, ms. */
  readonly resetMs: number;
}

/** The most headers of one call, including HTTP/2's own. */
const MOST_HEADERS = 64;
/**
 * Their most bytes, as HTTP/2 counts them. It is the usual limit of gRPC. HPACK can send 60 KiB of repeated headers in 20
 * bytes, which the server would keep for as long as the call is open.
 */
const MOST_HEADERS_BYTES = 8 * 1024;
/** Those without which grpc-js does not look at a call. */
const NEEDED_HEADERS = /^(:method|:path|content-type)$/;
const AUTHORIZATION = "authorization";
/** HTTP/2 counts this many bytes for each header in addition to its name and value (RFC 9113, section 6.5.2). */
const HEADER_BYTES = 32;
/**
 * The most bytes that the headers of one call count as delivered, since compressed headers would otherwise allow many
 * more bytes of frames that carry nothing.
 */
const MOST_DELIVERED_HEADER_BYTES = 2 * 1024;

/** No messages: the method does not exist. */
const nothing: MethodBounds = { bytes: 0, fields: 0, isStream: false, isAdmitting: false };
const END = Buffer.alloc(0);

export class IncomingCalls {
  readonly #options: IncomingCallsOptions;
  readonly #connections = new WeakMap<ServerHttp2Session, IncomingConnection>();
  readonly #refused = new WeakMap<ServerHttp2Stream, RpcError>();

  constructor(options: IncomingCallsOptions) {
    this.#options = options;
  }

  /** Call it when the HTTP/2 server exists, which is after createConnectionInjector. */
  inspect(server: Server): void {
    inspectRequests(server, (stream, headers, rawHeaders) => this.#readHeaders(stream, headers, rawHeaders));
  }

  /** The interceptor for the options of the grpc-js server. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const raw = rawCall(call);
    const { stream } = raw;
    const end = (error: RpcError): void => {
      call.sendStatus(toStatus(error));
    };
    stream.once("finish", () => this.#resetLater(stream));
    const refused = this.#refused.get(stream);
    const connection = stream.session && this.#connection(stream.session as ServerHttp2Session);
    if (connection === undefined) {
      if (refused !== undefined) end(refused);
      return raw.intercepted;
    }
    // Counted here, because grpc-js does not pass on what arrives after a refusal.
    stream.on("data", (data: Buffer) => {
      connection.deliveredBytes += data.length;
    });
    const bounds = this.#options.bounds.get(method.path) ?? nothing;
    const reader = new MessageReader(bounds, (bytes) => request.keep(bytes));
    const request = this.#options.unfinished.begin(connection.budgets, (refusal) => {
      reader.drop();
      end(refusal);
    });
    stream.once("close", request.ended);
    this.#paceStatus(call, connection.refusals, bounds.isAdmitting, (answer) => {
      reader.drop();
      request.held(answer);
    });
    if (refused !== undefined) {
      end(refused);
      return raw.intercepted;
    }
    acceptOnlyIdentity(call);
    raw.decodeWith((data) => {
      if (data === END) return reader.end();
      const messages = reader.write(data);
      if (bounds.isStream && messages.length > 0) request.begun();
      return messages;
    });
    // grpc-js listens for the same event, and must get a refusal before the end.
    stream.prependListener("end", () => {
      stream.emit("data", END);
      request.begun();
    });
    return raw.intercepted;
  };

  /**
   * Delays the status of a call that is refused or checks no token, if its connection or its address has had many such
   * calls. `hold` gets what sends it earlier.
   */
  #paceStatus(
    call: Parameters<ServerInterceptor>[1],
    pace: RefusalPace,
    isAdmitting: boolean,
    hold: (answer: () => void) => void,
  ): void {
    const { clock } = this.#options;
    const send = call.sendStatus.bind(call);
    let isAnswered = false;
    call.sendStatus = (answer) => {
      if (isAnswered) return;
      isAnswered = true;
      const delayMs = answer.code === status.OK && isAdmitting ? 0 : pace.delay(clock.monotonic());
      if (delayMs === 0) return send(answer);
      const timer = clock.after(delayMs, () => send(answer));
      hold(() => {
        timer[Symbol.dispose]();
        send(answer);
      });
    };
  }

  /**
   * Resets an answered stream if the caller does not end its side, since a stream of which one side is open takes memory
   * (RFC 9113, section 8.1). It waits in real time, because a reset drops trailers that wait for the network.
   */
  #resetLater(stream: ServerHttp2Stream): void {
    const isOpen = (): boolean =>
      !stream.destroyed && !stream.readableEnded && stream.state.remoteClose !== 1;
    if (!isOpen()) return;
    const timer = setTimeout(() => {
      if (isOpen()) stream.close(constants.NGHTTP2_NO_ERROR);
    }, this.#options.resetMs).unref();
    stream.once("close", () => clearTimeout(timer));
  }

  #connection(session: ServerHttp2Session): IncomingConnection {
    let connection = this.#connections.get(session);
    if (connection === undefined) {
      connection = this.#options.connectionOf(session);
      this.#connections.set(session, connection);
    }
    return connection;
  }

  #readHeaders(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    let bytes = 0;
    const tokens: string[] = [];
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index] ?? "";
      const value = raw[index + 1] ?? "";
      bytes += name.length + value.length + HEADER_BYTES;
      if (name === AUTHORIZATION) tokens.push(value);
    }
    if (stream.session) {
      const connection = this.#connection(stream.session as ServerHttp2Session);
      connection.deliveredBytes += Math.min(bytes, MOST_DELIVERED_HEADER_BYTES);
    }
    // Node keeps only the first value.
    if (tokens.length > 1) headers[AUTHORIZATION] = tokens.join(", ");
    const error = headersRefusal(raw.length / 2, bytes);
    if (error === undefined) return;
    // What the caller sent too much of is not kept until it ends the call.
    for (const name of Object.keys(headers)) if (!NEEDED_HEADERS.test(name)) delete headers[name];
    this.#refused.set(stream, error);
  }
}

function headersRefusal(count: number, bytes: number): RpcError | undefined {
  if (count > MOST_HEADERS) {
    const message = `The call has ${count} headers, and at most ${MOST_HEADERS} are allowed.`;
    return tooLarge(message, { maximum: String(MOST_HEADERS), unit: "items", actual: String(count) });
  }
  if (bytes <= MOST_HEADERS_BYTES) return undefined;
  const message = `The headers of the call have ${bytes} bytes, and at most ${MOST_HEADERS_BYTES} are allowed.`;
  return tooLarge(message, { maximum: String(MOST_HEADERS_BYTES), unit: "bytes", actual: String(bytes) });
}

function tooLarge(message: string, metadata: Record<string, string>): RpcError {
  return new RpcError({ code: status.INVALID_ARGUMENT, reason: "REQUEST_TOO_LARGE", message, metadata });
}
