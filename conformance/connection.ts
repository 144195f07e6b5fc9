// One connection to the server under test, trusted in a stated way, and the calls over it: messages or ready bytes up,
// strictly decoded messages down.
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type PeerCertificate } from "node:tls";
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import { ChatServiceService, type FollowRequest } from "../gen/parley/chat/v1/chat_service.ts";
import { parseAddress } from "../rpc/address.ts";
import { asBuffer } from "../rpc/bytes.ts";
import { ConnectError, dial, type Trust } from "../rpc/dial.ts";
import { bearer } from "../rpc/metadata.ts";
import { fromServiceError, type RpcError } from "../rpc/status.ts";
import { StrictReader } from "../rpc/strict-reader.ts";
import { Failure } from "./expect.ts";

export interface Server {
  /** HOST:PORT. */
  readonly address: string;
  /** Roots are the certificates, PEM, of which one has to have signed the server's. */
  readonly trust: Trust | { readonly kind: "roots"; readonly pem: string };
  /** How long what a stream has to tell may take to come, ms. */
  readonly patienceMs: number;
}

/** How long a connection may take to stand, and a call to be answered, ms. */
const CALL_MS = 10_000;

/** A generated method, seen through its messages. */
export interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

export class Connection implements Disposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** @throws Error where the server cannot be reached, or is not the one that was meant */
  static async open(server: Server): Promise<Connection> {
    const { target, channelCredentials, options } = await reach(server);
    const client = new Client(target, channelCredentials, options);
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + CALL_MS, (error) => {
        if (error === undefined) resolve();
        else reject(unreachable(server.address, error));
      });
    });
    return new Connection(client);
  }

  /** @throws RpcError; Failure where the answer is not the expected message */
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
  unaryBytes(path: string, request: Uint8Array, token: string | undefined): Promise<Buffer> {
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
        else reject(noted(fromServiceError(error), path));
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
  }
}

const methods = new WeakMap<RpcError, string>();

/** The method that was answered with this error. */
export function methodOf(error: RpcError): string | undefined {
  return methods.get(error);
}

function noted(error: RpcError, path: string): RpcError {
  methods.set(error, nameOf(path));
  return error;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function unreachable(address: string, cause: Error): ConnectError {
  const message = `${address} takes no connection within ${CALL_MS / 1000} s.`;
  return new ConnectError({ kind: "unreachable", message, cause });
}

interface Reached {
  readonly target: string;
  readonly channelCredentials: ChannelCredentials;
  readonly options: ClientOptions;
}

async function reach({ address, trust }: Server): Promise<Reached> {
  if (trust.kind === "roots") {
    const { host } = parseAddress(address);
    const context = createSecureContext({ ca: trust.pem, allowPartialTrustChain: true });
    return {
      target: `dns:${address}`,
      channelCredentials: credentials.createFromSecureContext(context, {
        checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
          checkServerIdentity(host, certificate),
      }),
      options: {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.enable_retries": 0,
        // An IP address is not allowed as the name that TLS asks for; the check of it is in the credentials.
        ...(isIP(host) ? { "grpc.ssl_target_name_override": "server" } : {}),
      },
    };
  }
  const dialled = await dial({ address, trust, probeTimeoutMs: CALL_MS });
  return {
    target: dialled.target,
    channelCredentials: dialled.credentials,
    options: dialled.clientOptions,
  };
}

function metadataOf(token: string | undefined): Metadata {
  return token === undefined ? new Metadata() : bearer(token);
}
