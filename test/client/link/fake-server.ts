// A ChatService whose responses the test writes itself, so that it can be wrong, late or gone at any moment.
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type status,
} from "@grpc/grpc-js";
import {
  ChatServiceService,
  type Command,
  type ConnectRequest,
  type ConnectResponse,
  type FollowRequest,
  type Hello,
  type SendMessageRequest,
} from "../../../gen/parley/chat/v1/chat_service.ts";
import { ConversationKind } from "../../../gen/parley/chat/v1/conversation.ts";
import type { Ack, Event, Welcome } from "../../../gen/parley/chat/v1/event.ts";
import { passThrough } from "../../../rpc/calls/decode.ts";
import { readBearer } from "../../../rpc/calls/metadata.ts";
import { type RpcError, toStatus } from "../../../rpc/status/status.ts";
import { Relay } from "./relay.ts";

export const hans = { userId: "u1", username: "hans" };
export const yoda = { userId: "u2", username: "yoda" };
const time = new Date(1_700_000_000_000);

type Kind = NonNullable<Event["kind"]>;
type CommandKind = NonNullable<Command["kind"]>;
type ValueOf<C extends CommandKind["$case"]> = Extract<CommandKind, { $case: C }>["value"];

export class FakeServer implements AsyncDisposable {
  readonly relay: Relay;
  /** Answers SendMessage; the default never answers. */
  onSend: (request: SendMessageRequest) => Promise<Ack> = () => new Promise(() => undefined);
  readonly #server: Server;
  readonly #streams: Inbox<FakeStream>;

  private constructor(server: Server, streams: Inbox<FakeStream>, relay: Relay) {
    this.#server = server;
    this.#streams = streams;
    this.relay = relay;
  }

  static async start(): Promise<FakeServer> {
    const server = new Server();
    const streams = new Inbox<FakeStream>();
    let fake: FakeServer | undefined;
    server.addService(passThrough(ChatServiceService, ["connect"]), {
      connect: (call: ServerDuplexStream<ConnectRequest, ConnectResponse>) => {
        streams.put(new FakeStream(call, readBearer(call.metadata)));
      },
      follow: (call: ServerWritableStream<FollowRequest, ConnectResponse>) => {
        streams.put(new FakeStream(call, readBearer(call.metadata), call.request.hello));
      },
      sendMessage: (
        call: { request: SendMessageRequest },
        answer: (error: object | null, response?: { ack: Ack }) => void,
      ) => {
        fake?.onSend(call.request).then(
          (ack) => answer(null, { ack }),
          (error: RpcError) => answer(toStatus(error)),
        );
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    fake = new FakeServer(server, streams, await Relay.start(port));
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.relay.port}`;
  }

  /** The next stream that a client opens. */
  stream(): Promise<FakeStream> {
    return this.#streams.take();
  }

  /** The next stream, after Hello, Welcome and an empty backlog. */
  async liveStream(): Promise<FakeStream> {
    const stream = await this.stream();
    await stream.hello();
    stream.welcome();
    stream.caughtUp();
    return stream;
  }

  /**
   * Answers the Hello of every stream from now on. For clients with a short time limit: on a busy machine they may give up
   * a stream and open another one.
   */
  answerStreams(): void {
    const answer = async (stream: FakeStream): Promise<void> => {
      await stream.hello();
      stream.welcome();
      stream.caughtUp();
    };
    const answerNext = async (): Promise<void> => {
      const stream = await this.stream();
      // A stream that the client has given up sends no Hello.
      answer(stream).catch(() => undefined);
      await answerNext();
    };
    void answerNext();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
    this.#server.forceShutdown();
  }
}

type AnyCall =
  | ServerDuplexStream<ConnectRequest, ConnectResponse>
  | ServerWritableStream<FollowRequest, ConnectResponse>;

/** The server's end of one stream. */
export class FakeStream {
  readonly token: string | undefined;
  readonly #call: AnyCall;
  readonly #commands = new Inbox<CommandKind>();

  constructor(call: AnyCall, token: string | undefined, hello?: Hello) {
    this.#call = call;
    this.token = token;
    call.on("error", () => undefined);
    if (hello !== undefined) this.#commands.put({ $case: "hello", value: hello });
    if ("request" in call) return;
    call.on("data", ({ commands }: ConnectRequest) => {
      for (const { kind } of commands) if (kind !== undefined) this.#commands.put(kind);
    });
    call.on("end", () => call.end());
  }

  /** The next command. @throws if it is of another kind */
  async command<C extends CommandKind["$case"]>(expected: C): Promise<ValueOf<C>> {
    const kind = await this.#commands.take();
    if (kind.$case !== expected) throw new Error(`The client sent ${kind.$case} instead of ${expected}.`);
    return (kind as { value: unknown }).value as ValueOf<C>;
  }

  /** How many commands have arrived and were not read. */
  get waiting(): number {
    return this.#commands.size;
  }

  hello(): Promise<Hello> {
    return this.command("hello");
  }

  /** The text and the id of the next send. */
  async sent(): Promise<{ text: string; id: bigint }> {
    const { clientMessageId: id, content } = await this.command("sendMessage");
    return { text: content?.kind?.value ?? "", id };
  }

  send(...kinds: Kind[]): void {
    this.#call.write({ events: kinds.map((kind) => ({ kind })) });
  }

  /** Sends bytes that are not a frame. */
  sendGarbage(): void {
    this.#call.write(Uint8Array.of(0xff, 0xff, 0xff) as never);
  }

  welcome(more: Partial<Welcome> = {}): void {
    this.send({
      $case: "welcome",
      value: {
        serverId: "server-1",
        sessionId: "s1",
        deviceId: "d1",
        user: hans,
        limits: {
          maxContentBytes: 32 * 1024,
          maxRequestBytes: 256 * 1024,
          maxCommandsPerRequest: 1000,
          maxCursors: 1000,
          maxStreamsPerSession: 4,
          idleTimeout: undefined,
          maxCallsPerSecond: 100,
          maxOnlineSessions: 8,
        },
        features: [],
        serverTime: time,
        broadcastConversationId: "c1",
        online: [],
        onlineNextPageToken: "",
        ...more,
      },
    });
  }

  caughtUp(): void {
    this.send({ $case: "caughtUp", value: { serverTime: time } });
  }

  ack(clientMessageId: bigint, seq: number, conversationId = "c2", repeatedSend = false): void {
    this.send({
      $case: "ack",
      value: {
        clientMessageId,
        conversationId,
        seq: BigInt(seq),
        sendTime: time,
        repeatedSend,
        withheld: false,
      },
    });
  }

  entries(from: number, to: number, conversationId = "c2", text?: string): void {
    const kinds: Kind[] = [];
    for (let seq = from; seq <= to; seq++) {
      kinds.push(entry(seq, { conversationId, ...(text === undefined ? {} : { text }) }));
    }
    this.send(...kinds);
  }

  /** The number of frames that flow control holds back. */
  get unsentFrames(): number {
    return this.#call.writableLength;
  }

  /** Ends the stream with a status. */
  end(error: RpcError): void {
    this.#call.emit("error", toStatus(error));
  }

  /** Ends the stream as a proxy would, without details. */
  endBare(code: status): void {
    this.#call.emit("error", { code, details: "bare", metadata: new Metadata() });
  }
}

/** An entry, by default from yoda. */
export function entry(
  seq: number,
  { conversationId = "c2", sender = yoda, text = `text ${seq}` } = {},
): Extract<Kind, { $case: "entryAppended" }> {
  return {
    $case: "entryAppended",
    value: {
      entry: {
        conversationId,
        seq: BigInt(seq),
        kind: ConversationKind.DIRECT,
        sender,
        recipient: sender === yoda ? hans : yoda,
        sendTime: time,
        content: { kind: { $case: "text", value: text } },
      },
    },
  };
}

/** A queue that can be awaited. */
class Inbox<T> {
  readonly #things: T[] = [];
  readonly #waiting: ((thing: T) => void)[] = [];

  get size(): number {
    return this.#things.length;
  }

  put(thing: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#things.push(thing);
    else waiting(thing);
  }

  take(): Promise<T> {
    const thing = this.#things.shift();
    if (thing !== undefined) return Promise.resolve(thing);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
