// One connection to the server under test, and the calls over it: requests as messages or encoded bytes, responses
// strictly decoded.

import { Client, type ClientDuplexStream, type ClientReadableStream, Metadata } from "@grpc/grpc-js";
import { ChatServiceService, type FollowRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { bearer } from "../../rpc/calls/metadata.ts";
import { type Dialled, dial, type ServerTrust } from "../../rpc/dialling/dial.ts";
import { fromServiceError, RpcError } from "../../rpc/status/status.ts";
import { asBuffer } from "../../rpc/wire/bytes.ts";
import { StrictReader } from "../../rpc/wire/strict-reader.ts";
import { delay } from "../../time/wait.ts";
import { CheckFailure } from "./expect.ts";

export interface Server {
  /** HOST:PORT. */
  readonly address: string;
  readonly trust: ServerTrust;
  /** How long an event or an answer may take to arrive, ms. */
  readonly patienceMs: number;
}

/** How long establishing the connection may take, and how long a call may take, ms. */
const CALL_MS = 10_000;

/** How long a call is retried if the server refuses it because of its rate, ms. */
const RETRY_MS = 30_000;

/** A generated unary method. */
export interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export class Connection implements Disposable {
  readonly #dialled: Dialled;
  readonly #client: Client;

  private constructor(dialled: Dialled) {
    this.#dialled = dialled;
    this.#client = new Client(dialled.target, dialled.credentials, dialled.clientOptions);
  }

  /** @throws ConnectError if the server cannot be reached, or is not trusted */
  static async open({ address, trust }: Server): Promise<Connection> {
    const dialled = await dial({ address, trust, probeTimeoutMs: CALL_MS });
    try {
      await dialled.ready(CALL_MS);
      return new Connection(dialled);
    } catch (error) {
      dialled[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * A server may limit the rate of calls: a call that it refuses for that reason is retried after the delay it gives.
   * @throws RpcError; Failure if the response is not the expected message
   */
  async unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request | Uint8Array,
    token: string | undefined,
  ): Promise<Response> {
    const bytes = await this.unaryBytes(
      method.path,
      request instanceof Uint8Array ? request : method.requestSerialize(request),
      token,
    );
    try {
      // The generated deserializers pass their argument to a `decode`, which also takes a reader.
      return method.responseDeserialize(new StrictReader(bytes) as unknown as Buffer);
    } catch (error) {
      throw new CheckFailure(
        `the response of ${nameOf(method.path)}`,
        "the message of the contract",
        String(error),
      );
    }
  }

  /** Like `unary`, but without decoding the response. @throws RpcError */
  async unaryBytes(path: string, request: Uint8Array, token: string | undefined): Promise<Buffer> {
    const end = performance.now() + RETRY_MS;
    for (;;) {
      try {
        return await this.#unaryOnce(path, request, token);
      } catch (error) {
        const delayMs = retryDelayOf(error);
        if (delayMs === undefined || performance.now() + delayMs > end) throw error;
        await delay(delayMs);
      }
    }
  }

  #unaryOnce(path: string, request: Uint8Array, token: string | undefined): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const options = { deadline: Date.now() + CALL_MS };
    const asIs = (bytes: Buffer): Buffer => bytes;
    this.#client.makeUnaryRequest(
      path,
      asBuffer,
      asIs,
      request,
      metadataOf(token),
      options,
      (error, bytes) => {
        if (error === null) resolve(bytes ?? Buffer.alloc(0));
        else reject(withMethod(fromServiceError(error), nameOf(path)));
      },
    );
    return promise;
  }

  /**
   * Opens a Connect stream. Its frames are bytes in both directions, so that checks can send and see fields that are
   * not in the contract.
   */
  connect(token: string | undefined): ClientDuplexStream<Uint8Array, Buffer> {
    return this.#client.makeBidiStreamRequest<Uint8Array, Buffer>(
      ChatServiceService.connect.path,
      asBuffer,
      (bytes) => bytes,
      metadataOf(token),
    );
  }

  follow(request: FollowRequest, token: string | undefined): ClientReadableStream<Buffer> {
    return this.#client.makeServerStreamRequest<FollowRequest, Buffer>(
      ChatServiceService.follow.path,
      ChatServiceService.follow.requestSerialize,
      (bytes) => bytes,
      request,
      metadataOf(token),
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
    this.#dialled[Symbol.dispose]();
  }
}

/** The delay after which the server allows a retry, ms; undefined if it did not limit the rate. */
function retryDelayOf(error: unknown): number | undefined {
  return error instanceof RpcError && error.reason === "RATE_LIMITED" ? error.retryDelayMs : undefined;
}

const methods = new WeakMap<RpcError, string>();

/** The method of the call that failed with this error. */
export function methodOf(error: RpcError): string | undefined {
  return methods.get(error);
}

/** Records the method of the call that failed with this error. */
export function withMethod(error: RpcError, method: string): RpcError {
  methods.set(error, method);
  return error;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function metadataOf(token: string | undefined): Metadata {
  return token === undefined ? new Metadata() : bearer(token);
}
