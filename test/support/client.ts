// A client made of the generated stubs: unary calls as promises, and streams whose events a test can wait for.
import {
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { AdminServiceClient } from "../../gen/parley/chat/v1/admin_service.ts";
import { AuthServiceClient, type DeviceKey, type Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceClient } from "../../gen/parley/chat/v1/block_service.ts";
import {
  ChatServiceClient,
  type Command,
  type ConnectRequest,
  type ConnectResponse,
  type FollowResponse,
  type Hello,
  type Target,
} from "../../gen/parley/chat/v1/chat_service.ts";
import { DirectoryServiceClient } from "../../gen/parley/chat/v1/directory_service.ts";
import type { Ack, Event } from "../../gen/parley/chat/v1/event.ts";
import { HistoryServiceClient } from "../../gen/parley/chat/v1/history_service.ts";
import { IdentityServiceClient } from "../../gen/parley/chat/v1/identity_service.ts";
import { IntroductionServiceClient } from "../../gen/parley/chat/v1/introduction_service.ts";
import { ServerServiceClient } from "../../gen/parley/chat/v1/server_service.ts";
import { fromServiceError, RpcError } from "../../rpc/status/status.ts";

type Case = NonNullable<Event["kind"]>["$case"];
export type EventOf<C extends Case> = Extract<NonNullable<Event["kind"]>, { $case: C }>["value"];

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => unknown;

export class TestClient implements Disposable {
  readonly admin: AdminServiceClient;
  readonly auth: AuthServiceClient;
  readonly blocks: BlockServiceClient;
  readonly chat: ChatServiceClient;
  readonly directory: DirectoryServiceClient;
  readonly history: HistoryServiceClient;
  readonly identity: IdentityServiceClient;
  readonly introduction: IntroductionServiceClient;
  readonly server: ServerServiceClient;
  grant: Grant | undefined;
  #nextId = 1n;

  constructor(port: number) {
    const options = {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      "grpc.initial_reconnect_backoff_ms": 50,
    };
    const address = `127.0.0.1:${port}`;
    this.auth = new AuthServiceClient(address, credentials.createInsecure(), options);
    const channelOverride = this.auth.getChannel();
    this.admin = new AdminServiceClient(address, credentials.createInsecure(), { channelOverride });
    this.blocks = new BlockServiceClient(address, credentials.createInsecure(), { channelOverride });
    this.chat = new ChatServiceClient(address, credentials.createInsecure(), { channelOverride });
    this.directory = new DirectoryServiceClient(address, credentials.createInsecure(), { channelOverride });
    this.history = new HistoryServiceClient(address, credentials.createInsecure(), {
      channelOverride,
    });
    this.identity = new IdentityServiceClient(address, credentials.createInsecure(), { channelOverride });
    this.server = new ServerServiceClient(address, credentials.createInsecure(), { channelOverride });
    this.introduction = new IntroductionServiceClient(address, credentials.createInsecure(), {
      channelOverride,
    });
  }

  get metadata(): Metadata {
    const metadata = new Metadata();
    if (this.grant !== undefined) metadata.set("authorization", `Bearer ${this.grant.token}`);
    return metadata;
  }

  /** @throws RpcError */
  unary<Request, Response>(
    service: { readonly [method: string]: unknown } | object,
    method: UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      method.call(service, request, this.metadata, { deadline: Date.now() + 50_000 }, (error, response) => {
        if (error === null) resolve(response);
        else reject(fromServiceError(error));
      });
    });
  }

  async logIn(username: string, password: string, device?: DeviceKey): Promise<Grant> {
    const request = { username, password, device, client: undefined };
    const { grant } = await this.unary(this.auth, this.auth.logIn, request);
    if (grant === undefined) throw new Error("no grant");
    this.grant = grant;
    return grant;
  }

  async logOut(): Promise<void> {
    await this.unary(this.auth, this.auth.logOut, {});
  }

  async block(username: string): Promise<void> {
    await this.unary(this.blocks, this.blocks.blockUser, { username });
  }

  async unblock(username: string): Promise<void> {
    await this.unary(this.blocks, this.blocks.unblockUser, { username });
  }

  /** The names of the other users who are online, or were within that many seconds. */
  async whoelse(seconds?: number | bigint): Promise<string[]> {
    const onlineWithin = seconds === undefined ? undefined : { seconds: BigInt(seconds), nanos: 0 };
    const request = { onlineWithin, pageSize: 0, pageToken: "", background: false };
    const { users } = await this.unary(this.directory, this.directory.listUsers, request);
    return users.map(({ user }) => user?.username ?? "");
  }

  /** The log of the direct conversation with a user: its texts, and "-" for each seq that is omitted. */
  async textsWith(username: string): Promise<string[]> {
    return this.textsOf({ $case: "username", value: username });
  }

  /** The log of any conversation, as textsWith. */
  async textsOf(target: NonNullable<Target["target"]>): Promise<string[]> {
    const range = {
      fromSeq: 0n,
      toSeq: 0n,
      fromTime: undefined,
      toTime: undefined,
      order: 1 as const,
      pageSize: 500,
      pageToken: "",
    };
    const request = { target: { target }, ...range, background: true };
    const { items } = await this.unary(this.history, this.history.listMessages, request);
    return items.flatMap(({ item }) => {
      if (item?.$case === "entry") return [item.value.content?.kind?.value ?? ""];
      if (item === undefined) return [];
      return Array.from({ length: Number(item.value.toSeq - item.value.fromSeq) + 1 }, () => "-");
    });
  }

  nextId(): bigint {
    return this.#nextId++;
  }

  /** Sends by a unary call. */
  async send(username: string, text: string, clientMessageId = this.nextId()): Promise<Ack> {
    const { ack } = await this.unary(this.chat, this.chat.sendMessage, {
      clientMessageId,
      target: { target: { $case: "username", value: username } },
      content: { kind: { $case: "text", value: text } },
    });
    if (ack === undefined) throw new Error("no ack");
    return ack;
  }

  async broadcast(text: string, clientMessageId = this.nextId()): Promise<Ack> {
    const { ack } = await this.unary(this.chat, this.chat.broadcast, {
      clientMessageId,
      content: { kind: { $case: "text", value: text } },
    });
    if (ack === undefined) throw new Error("no ack");
    return ack;
  }

  /** Opens a stream, and sends Hello unless it is null. */
  connect(hello: Partial<Hello> | null = {}): TestStream {
    const stream = new TestStream(this.chat.connect(this.metadata), this);
    if (hello !== null) stream.write({ kind: { $case: "hello", value: fullHello(hello) } });
    return stream;
  }

  follow(hello: Partial<Hello> = {}): TestStream {
    return new TestStream(this.chat.follow({ hello: fullHello(hello) }, this.metadata), this);
  }

  [Symbol.dispose](): void {
    this.auth.close();
  }
}

function fullHello(hello: Partial<Hello>): Hello {
  return { client: undefined, features: [], cursors: [], processId: "", ...hello };
}

type Call = ClientDuplexStream<ConnectRequest, ConnectResponse> | ClientReadableStream<FollowResponse>;

export class TestStream implements Disposable {
  /** All events received so far, in order. */
  readonly events: Event[] = [];
  /** How the stream ended: an RpcError, or undefined for OK. */
  readonly ended: Promise<RpcError | undefined>;
  readonly call: Call;
  readonly #client: TestClient;
  #taken = 0;
  #onChange: (() => void)[] = [];
  #hasEnded = false;

  constructor(call: Call, client: TestClient) {
    this.call = call;
    this.#client = client;
    this.ended = new Promise((resolve) => {
      call.on("data", (frame: ConnectResponse) => {
        this.events.push(...frame.events);
        this.#wake();
      });
      call.on("error", (error: Error) => this.#end(() => resolve(fromServiceError(error))));
      call.on("end", () => this.#end(() => resolve(undefined)));
    });
  }

  write(...commands: Command[]): void {
    (this.call as ClientDuplexStream<ConnectRequest, ConnectResponse>).write({ commands });
  }

  /** Ends the client's side of a Connect stream. */
  halfClose(): void {
    (this.call as ClientDuplexStream<ConnectRequest, ConnectResponse>).end();
  }

  /** Sends on the stream; the answer is awaited by `next("ack")` or `next("refused")`. */
  send(username: string, text: string, clientMessageId = this.#client.nextId()): bigint {
    this.write({
      kind: {
        $case: "sendMessage",
        value: {
          clientMessageId,
          target: { target: { $case: "username", value: username } },
          content: { kind: { $case: "text", value: text } },
        },
      },
    });
    return clientMessageId;
  }

  /**
   * The next event of this kind after the last one that was taken. Events before it are skipped.
   * @throws Error if the stream ends first
   */
  async next<C extends Case>(
    $case: C,
    matches: (value: EventOf<C>) => boolean = () => true,
  ): Promise<EventOf<C>> {
    for (;;) {
      for (; this.#taken < this.events.length; this.#taken++) {
        const kind = this.events[this.#taken]?.kind;
        if (kind?.$case === $case && matches(kind.value as EventOf<C>)) {
          this.#taken++;
          return kind.value as EventOf<C>;
        }
      }
      if (this.#hasEnded)
        throw new Error(`the stream ended before ${$case} arrived: ${String(await this.ended)}`);
      await this.change();
    }
  }

  /** Resolves when more events have arrived, or the stream has ended. @throws Error if it had ended before */
  async change(): Promise<void> {
    if (this.#hasEnded) throw new Error(`the stream has ended: ${String(await this.ended)}`);
    await new Promise<void>((resolve) => this.#onChange.push(resolve));
  }

  async caughtUp(): Promise<this> {
    await this.next("caughtUp");
    return this;
  }

  /** The text of the next entry. */
  async nextText(): Promise<string> {
    return textOf(await this.next("entryAppended"));
  }

  /** All events of a kind received so far. */
  all<C extends Case>($case: C): EventOf<C>[] {
    return this.events.flatMap((event) =>
      event.kind?.$case === $case ? [event.kind.value as EventOf<C>] : [],
    );
  }

  [Symbol.dispose](): void {
    this.call.cancel();
  }

  #end(settle: () => void): void {
    this.#hasEnded = true;
    settle();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#onChange.splice(0)) wake();
  }
}

/** The reason with which a call is refused, or "" if it succeeds. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "";
  } catch (error) {
    if (error instanceof RpcError) return error.reason;
    throw error;
  }
}

export function textOf(appended: EventOf<"entryAppended">): string {
  const kind = appended.entry?.content?.kind;
  return kind?.$case === "text" ? kind.value : "";
}
