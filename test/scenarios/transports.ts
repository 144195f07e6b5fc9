// The two transports of the contract: Connect, which carries commands and events, and Follow with the unary twins. Scenarios
// run through both, which shows that the same rules apply.
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import type { Command, Hello } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Marker } from "../../gen/parley/chat/v1/conversation.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { RpcError } from "../../rpc/status/status.ts";
import { meanings } from "../../server/reasons.ts";
import { type EventOf, TestClient, type TestStream } from "../support/client.ts";
import { passwordOf, type TestServer } from "../support/server.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** The target of a message: a user's name, or a conversation id. */
type Target = string | { readonly conversationId: string };

/** A logged-in user with a stream that has caught up, and the commands of that transport. */
export interface OnlineUser {
  readonly client: TestClient;
  readonly stream: TestStream;
  /** @throws RpcError if the send is refused, by either transport */
  send(to: Target, text: string, clientMessageId?: bigint): Promise<Ack>;
  /** @throws RpcError */
  broadcast(text: string, clientMessageId?: bigint): Promise<Ack>;
  /** Resolves when the marker is stored. @throws RpcError */
  setMarker(marker: Marker): Promise<void>;
  /** Connect does not answer this command: wait for its effect. */
  setTyping(to: string, typing?: boolean): Promise<void>;
  /** Connect does not answer this command either. */
  reportActivity(): Promise<void>;
}

export class Transport {
  readonly name: string;
  readonly isConnect: boolean;

  constructor(name: string, isConnect: boolean) {
    this.name = name;
    this.isConnect = isConnect;
  }

  /** Opens a stream. */
  open = (client: TestClient, hello: Partial<Hello> = {}): TestStream =>
    this.isConnect ? client.connect(hello) : client.follow(hello);

  /** Logs a user in, on a new device unless one is given, and opens a stream. */
  online = async (server: TestServer, name: string, device?: DeviceKey): Promise<OnlineUser> =>
    this.goOnline(await server.logIn(name, device));

  /** Opens a stream for a client that is logged in, and waits until it has caught up. */
  goOnline = async (client: TestClient, hello: Partial<Hello> = {}): Promise<OnlineUser> => {
    const stream = await this.open(client, hello).caughtUp();
    return this.isConnect ? throughConnect(client, stream) : throughTwins(client, stream);
  };

  /** As online, through a proxy. Dispose of the proxy to lose the connection. */
  onlineThroughProxy = async (
    server: TestServer,
    name: string,
  ): Promise<OnlineUser & { readonly proxy: TcpProxy }> => {
    const proxy = await TcpProxy.start(server.port);
    const client = new TestClient(proxy.port);
    await client.logIn(name, passwordOf(name));
    return { ...(await this.goOnline(client)), proxy };
  };
}

export const transports: readonly Transport[] = [
  new Transport("Connect", true),
  new Transport("Follow and the unary twins", false),
];

function throughTwins(client: TestClient, stream: TestStream): OnlineUser {
  const { chat } = client;
  return {
    client,
    stream,
    send: async (to, value, clientMessageId = client.nextId()) => {
      const request = { clientMessageId, target: targetOf(to), content: text(value) };
      return acked((await client.unary(chat, chat.sendMessage, request)).ack);
    },
    broadcast: (value, clientMessageId) => client.broadcast(value, clientMessageId),
    setMarker: async (marker) => {
      await client.unary(chat, chat.setMarkers, { markers: [marker] });
    },
    setTyping: async (to, typing = true) => {
      await client.unary(chat, chat.setTyping, { target: targetOf(to), typing });
    },
    reportActivity: async () => {
      await client.unary(chat, chat.reportActivity, {});
    },
  };
}

function throughConnect(client: TestClient, stream: TestStream): OnlineUser {
  const write = (kind: NonNullable<Command["kind"]>): Promise<void> => {
    stream.write({ kind });
    return Promise.resolve();
  };
  return {
    client,
    stream,
    send: (to, value, clientMessageId = client.nextId()) => {
      const request = { clientMessageId, target: targetOf(to), content: text(value) };
      return answered(stream, clientMessageId, { $case: "sendMessage", value: request });
    },
    broadcast: (value, clientMessageId = client.nextId()) => {
      const request = { clientMessageId, content: text(value) };
      return answered(stream, clientMessageId, { $case: "broadcast", value: request });
    },
    setMarker: async (marker) => {
      await write({ $case: "setMarkers", value: { markers: [marker] } });
      await marked(client, stream, marker);
    },
    setTyping: (to, typing = true) => write({ $case: "setTyping", value: { target: targetOf(to), typing } }),
    reportActivity: () => write({ $case: "reportActivity", value: {} }),
  };
}

/** Sends on a stream, and waits for the answer. The events stay available to `next`. */
async function answered(
  stream: TestStream,
  clientMessageId: bigint,
  kind: NonNullable<Command["kind"]>,
): Promise<Ack> {
  const answers = (): (Ack | EventOf<"refused">)[] =>
    stream.events.flatMap(({ kind: event }) =>
      (event?.$case === "ack" || event?.$case === "refused") &&
      event.value.clientMessageId === clientMessageId
        ? [event.value]
        : [],
    );
  const before = answers().length;
  stream.write({ kind });
  let answer = answers()[before];
  for (; answer === undefined; answer = answers()[before]) {
    await nextChange(stream);
  }
  if ("seq" in answer) return answer;
  throw errorOf(answer);
}

/** Waits until a marker is stored or refused: the user's own streams receive an event when it rises. */
async function marked(client: TestClient, stream: TestStream, marker: Marker): Promise<void> {
  const { conversationId, deliveredSeq, readSeq } = marker;
  const isStored = (): boolean =>
    stream
      .all("markersMoved")
      .some(
        (moved) =>
          moved.conversationId === conversationId &&
          moved.user?.userId === client.grant?.user?.userId &&
          moved.deliveredSeq >= deliveredSeq &&
          moved.readSeq >= readSeq,
      );
  const refusals = (): EventOf<"refused">[] =>
    stream.all("refused").filter((refused) => refused.conversationId === conversationId);
  const before = refusals().length;
  while (!isStored()) {
    const refused = refusals()[before];
    if (refused !== undefined) throw errorOf(refused);
    await nextChange(stream);
  }
}

/** Resolves when more events have arrived. @throws RpcError the error of the stream, if it ends first */
async function nextChange(stream: TestStream): Promise<void> {
  const ended = stream.ended.then((error) => {
    throw error ?? new Error("the stream ended with OK");
  });
  await Promise.race([stream.change().catch(() => ended), ended]);
}

function errorOf({ reason, field, message, retryDelay }: EventOf<"refused">): RpcError {
  const [name = ""] = Object.entries(Reason).find(([, value]) => value === reason) ?? [];
  const { code } = meanings[reason as keyof typeof meanings];
  const delay = retryDelay && { retryDelayMs: Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1e6 };
  return new RpcError({ code, reason: name, message, field, ...delay });
}

function targetOf(to: Target) {
  return typeof to === "string"
    ? ({ target: { $case: "username", value: to } } as const)
    : ({ target: { $case: "conversationId", value: to.conversationId } } as const);
}

function text(value: string): Content {
  return { kind: { $case: "text", value } };
}

function acked(ack: Ack | undefined): Ack {
  if (ack === undefined) throw new Error("no ack");
  return ack;
}
