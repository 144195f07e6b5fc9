// One connection to the server under test, trusted in a stated way, and the calls over it: messages or ready bytes up,
// strictly decoded messages down.
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientDuplexStream, type ClientReadableStream, Metadata } from "@grpc/grpc-js";
import { ChatServiceService, type FollowRequest } from "../../gen/parley/chat/v1/chat_service.ts";
import { bearer } from "../../rpc/calls/metadata.ts";
import { type Dialled, dial, type ServerTrust } from "../../rpc/dialling/dial.ts";
import { fromServiceError, RpcError } from "../../rpc/status/status.ts";
import { asBuffer } from "../../rpc/wire/bytes.ts";
import { StrictReader } from "../../rpc/wire/strict-reader.ts";
import { Failure } from "./expect.ts";

export interface Server {
  /** HOST:PORT. */
  readonly address: string;
  readonly trust: ServerTrust;
  /** How long what a stream has to tell may take to come, ms. */
  readonly patienceMs: number;
}

/** How long a connection may take to stand, and a call to be answered, ms. */
const CALL_MS = 10_000;

/** How long a call may be put off in all, ms. */
const PUT_OFF_MS = 30_000;

/** A generated method, seen through its messages. */
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

  /** @throws ConnectError where the server cannot be reached, or is not the one that was meant */
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
   * A server may bound how many calls it takes: one that it puts off is made again when it says so.
   * @throws RpcError; Failure where the answer is not the expected message
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
      // The generated deserializers hand their argument to a `decode` that takes a reader in place of bytes.
      return method.responseDeserialize(new StrictReader(bytes) as unknown as Buffer);
    } catch (error) {
      throw new Failure(`the answer of ${nameOf(method.path)}`, "the message of the contract", String(error));
    }
  }

  /** As unary, without a look at the answer. @throws RpcError */
  async unaryBytes(path: string, request: Uint8Array, token: string | undefined): Promise<Buffer> {
    const end = performance.now() + PUT_OFF_MS;
    for (;;) {
      try {
        return await this.#unaryOnce(path, request, token);
      } catch (error) {
        const delayMs = putOff(error);
        if (delayMs === undefined || performance.now() + delayMs > end) throw error;
        await sleep(delayMs);
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
        else reject(noted(fromServiceError(error), nameOf(path)));
      },
    );
    return promise;
  }

  /** Frames go up and come down as bytes: what is not known to the contract has to be seen too. */
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

/** How long the server wants the call to wait, ms; undefined where it does not. */
function putOff(error: unknown): number | undefined {
  return error instanceof RpcError && error.reason === "RATE_LIMITED" ? error.retryDelayMs : undefined;
}

const methods = new WeakMap<RpcError, string>();

/** The method that was answered with this error. */
export function methodOf(error: RpcError): string | undefined {
  return methods.get(error);
}

/** From now on that is what was answered with this error. */
export function noted(error: RpcError, method: string): RpcError {
  methods.set(error, method);
  return error;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function metadataOf(token: string | undefined): Metadata {
  return token === undefined ? new Metadata() : bearer(token);
}
