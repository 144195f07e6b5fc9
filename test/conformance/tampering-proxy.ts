// A proxy in front of the real server that changes calls and events, to imitate a broken server.
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { AdminServiceService } from "../../gen/parley/chat/v1/admin_service.ts";
import { AuthServiceService } from "../../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceService } from "../../gen/parley/chat/v1/block_service.ts";
import {
  ChatServiceService,
  type Command,
  ConnectRequest,
  ConnectResponse,
  FollowRequest,
  type Hello,
} from "../../gen/parley/chat/v1/chat_service.ts";
import { DirectoryServiceService } from "../../gen/parley/chat/v1/directory_service.ts";
import { Event } from "../../gen/parley/chat/v1/event.ts";
import { HistoryServiceService } from "../../gen/parley/chat/v1/history_service.ts";
import { ServerServiceService } from "../../gen/parley/chat/v1/server_service.ts";
import { lengthDelimited, repeatedField } from "../../rpc/wire/raw-fields.ts";

export interface UnaryCall {
  /** Such as "SendMessage". */
  readonly name: string;
  readonly request: Buffer;
  readonly token: string;
  readonly proxy: TamperingProxy;
  /** Forwards the call to the real server. @throws ServiceError */
  forward(request?: Uint8Array): Promise<Buffer>;
}

export interface ProxiedStream {
  readonly method: "connect" | "follow";
  /** Sends further events to the client. */
  send(...events: Event[]): void;
  /** Ends the client's stream with this error. */
  end(error: Partial<ServiceError>): void;
}

/** The changes. Everything that is not named is forwarded unchanged. */
export interface Tampering {
  /** Answers unary calls. @throws ServiceError */
  readonly unary?: (call: UnaryCall) => Promise<Uint8Array>;
  /** Changes the Hello of either kind of stream. */
  readonly hello?: (hello: Hello, method: ProxiedStream["method"]) => Hello;
  /** Called for each stream. Maps a frame of commands, including Hello, to the frames to forward. */
  readonly up?: (stream: ProxiedStream) => (frame: Buffer, commands: Command[]) => (Uint8Array | Command[])[];
  /** Called for each stream. Maps an event to the events to send. */
  readonly down?: (stream: ProxiedStream) => (event: Event) => Event[];
  /** Whether the client's stream ends, too. */
  readonly forwardsEnd?: (status: StatusObject) => boolean;
  /** Further paths that are answered with an empty message. */
  readonly further?: readonly string[];
}

type Up = ServerDuplexStream<Buffer, Buffer>;
type Down = ServerWritableStream<Buffer, Buffer>;

const services = [
  AdminServiceService,
  AuthServiceService,
  BlockServiceService,
  ChatServiceService,
  DirectoryServiceService,
  HistoryServiceService,
  ServerServiceService,
];
const EVENTS = 1;
const asIs = (bytes: Buffer): Buffer => bytes;

export class TamperingProxy implements Disposable {
  readonly #server = new Server();
  readonly #backend: Client;
  readonly #tampering: Tampering;
  readonly #streams = new Set<ProxiedStream>();
  #port = 0;

  private constructor(port: number, tampering: Tampering) {
    this.#tampering = tampering;
    this.#backend = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      "grpc.initial_reconnect_backoff_ms": 50,
    });
  }

  static async to(port: number, tampering: Tampering): Promise<TamperingProxy> {
    const proxy = new TamperingProxy(port, tampering);
    for (const service of services) proxy.#serve(service);
    proxy.#port = await new Promise((resolve, reject) => {
      proxy.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Sends an event on every open stream. */
  sendToAll(event: Event): void {
    for (const stream of this.#streams) stream.send(event);
  }

  /** Resolves when the proxy is connected to the real server. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#backend.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
    });
  }

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
    this.#backend.close();
  }

  #serve(definition: ServiceDefinition): void {
    const methods: Record<string, ServiceDefinition[string]> = {};
    const handlers: UntypedServiceImplementation = {};
    for (const [name, method] of Object.entries(definition)) {
      methods[name] = {
        ...method,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      };
      if (!method.responseStream) handlers[name] = this.#unary(method.path);
      else if (method.requestStream) handlers[name] = (call: Up) => this.#connect(call);
      else handlers[name] = (call: Down) => this.#follow(call);
    }
    if (definition === (ChatServiceService as unknown as ServiceDefinition)) {
      for (const path of this.#tampering.further ?? []) {
        const likeAny = methods.reportActivity;
        if (likeAny !== undefined) methods[path] = { ...likeAny, path };
        handlers[path] = (_call: unknown, callback: sendUnaryData<Buffer>) => callback(null, Buffer.alloc(0));
      }
    }
    this.#server.addService(methods, handlers);
  }

  #unary(path: string) {
    return (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
      const forward = (request: Uint8Array = call.request): Promise<Buffer> =>
        new Promise((resolve, reject) => {
          const bytes = Buffer.from(request);
          this.#backend.makeUnaryRequest(path, asIs, asIs, bytes, only(call.metadata), (error, response) => {
            if (error === null) resolve(response ?? Buffer.alloc(0));
            else reject(error);
          });
        });
      const name = path.slice(path.lastIndexOf("/") + 1);
      const token = String(call.metadata.get("authorization")[0] ?? "");
      const answer = this.#tampering.unary ?? ((one: UnaryCall) => one.forward());
      answer({ name, request: call.request, token, proxy: this, forward }).then(
        (response) => callback(null, Buffer.from(response)),
        (error: ServiceError) => callback(error, null),
      );
    };
  }

  #connect(call: Up): void {
    const { path } = ChatServiceService.connect;
    const backend = this.#backend.makeBidiStreamRequest(path, asIs, asIs, only(call.metadata));
    const stream = this.#pipeDown("connect", call, backend);
    const up = this.#tampering.up?.(stream) ?? ((frame: Buffer) => [frame]);
    call.on("data", (frame: Buffer) => {
      for (const out of up(this.#withHello(frame), commandsOf(frame))) {
        backend.write(
          Buffer.from(Array.isArray(out) ? ConnectRequest.encode({ commands: out }).finish() : out),
        );
      }
    });
    call.on("end", () => backend.end());
  }

  #follow(call: Down): void {
    const { path } = ChatServiceService.follow;
    const { hello } = FollowRequest.decode(call.request);
    const changed = hello && this.#tampering.hello?.(hello, "follow");
    const request = changed === undefined ? call.request : FollowRequest.encode({ hello: changed }).finish();
    const bytes = Buffer.from(request);
    this.#pipeDown(
      "follow",
      call,
      this.#backend.makeServerStreamRequest(path, asIs, asIs, bytes, only(call.metadata)),
    );
  }

  #pipeDown(
    method: ProxiedStream["method"],
    call: Up | Down,
    backend: ClientDuplexStream<Buffer, Buffer> | ClientReadableStream<Buffer>,
  ): ProxiedStream {
    const write = (pieces: Uint8Array[]): void => {
      if (pieces.length > 0 && !call.destroyed)
        call.write(Buffer.concat(pieces.map((piece) => lengthDelimited(EVENTS, piece))));
    };
    const stream: ProxiedStream = {
      method,
      send: (...events) => write(events.map((event) => Event.encode(event).finish())),
      end: (error) => {
        call.emit("error", error);
        backend.cancel();
      },
    };
    this.#streams.add(stream);
    const down = this.#tampering.down?.(stream);
    backend.on("data", (frame: Buffer) => {
      if (down === undefined) return write(repeatedField(frame, EVENTS));
      write(
        ConnectResponse.decode(frame)
          .events.flatMap(down)
          .map((event) => Event.encode(event).finish()),
      );
    });
    // The status is handled below.
    backend.on("error", () => {});
    backend.on("status", (status: StatusObject) => {
      this.#streams.delete(stream);
      // After the frames that were read before.
      setImmediate(() => {
        if (status.code === 0) call.end();
        else if (this.#tampering.forwardsEnd?.(status) ?? true) call.emit("error", status);
      });
    });
    call.on("cancelled", () => backend.cancel());
    return stream;
  }

  #withHello(frame: Buffer): Buffer {
    const { hello } = this.#tampering;
    const [first, ...others] = commandsOf(frame);
    if (hello === undefined || first?.kind?.$case !== "hello") return frame;
    const value = hello(first.kind.value, "connect");
    const commands: Command[] = [{ kind: { $case: "hello", value } }, ...others];
    return Buffer.from(ConnectRequest.encode({ commands }).finish());
  }
}

/** The commands of a frame; none if it cannot be decoded. */
function commandsOf(frame: Buffer): Command[] {
  try {
    return ConnectRequest.decode(frame).commands;
  } catch {
    return [];
  }
}

/** Only the token: other metadata belongs to the connection. */
function only(metadata: Metadata): Metadata {
  const kept = metadata.clone();
  for (const key of Object.keys(kept.getMap())) if (key !== "authorization") kept.remove(key);
  return kept;
}
