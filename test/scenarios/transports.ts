// The two transports of the contract: Connect, which carries commands and events, and Follow with the unary twins. A scenario that
// is played through both shows that their rules are equal.
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
import { Wire } from "./wire.ts";

/** Where a message goes: a user's name, or an id. */
type To = string | { readonly conversationId: string };

/** Somebody who is here: with a stream that has caught up, and who says things through the same transport. */
export interface Here {
  readonly client: TestClient;
  readonly stream: TestStream;
  /** @throws RpcError where it is refused, whichever way the transport says so */
  send(to: To, text: string, clientMessageId?: bigint): Promise<Ack>;
  /** @throws RpcError */
  broadcast(text: string, clientMessageId?: bigint): Promise<Ack>;
  /** Resolves when it is stored. @throws RpcError */
  mark(marker: Marker): Promise<void>;
  /** Through Connect nothing answers it: what comes of it has to be waited for. */
  type(to: string, typing?: boolean): Promise<void>;
  /** As type. */
  act(): Promise<void>;
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

  /** Somebody logs in, on a new device unless one is given, and is here. */
  here = async (server: TestServer, name: string, device?: DeviceKey): Promise<Here> =>
    this.enter(await server.logIn(name, device));

  /** Somebody who is logged in comes here, for the first time or again. */
  enter = async (client: TestClient, hello: Partial<Hello> = {}): Promise<Here> => {
    const stream = await this.open(client, hello).caughtUp();
    return this.isConnect ? throughConnect(client, stream) : throughTwins(client, stream);
  };

  /**
   * Somebody whose connection can be lost: dispose of the wire, and its sockets are gone. To close a client is another
   * thing: its open streams go on.
   */
  hereByWire = async (server: TestServer, name: string): Promise<Here & { readonly wire: Wire }> => {
    const wire = await Wire.to(server.port);
    const client = new TestClient(wire.port);
    await client.logIn(name, passwordOf(name));
    return { ...(await this.enter(client)), wire };
  };
}

export const transports: readonly Transport[] = [
  new Transport("Connect", true),
  new Transport("Follow and the unary twins", false),
];

function throughTwins(client: TestClient, stream: TestStream): Here {
  const { chat } = client;
  return {
    client,
    stream,
    send: async (to, value, clientMessageId = client.nextId()) => {
      const request = { clientMessageId, target: targetOf(to), content: text(value) };
      return acked((await client.unary(chat, chat.sendMessage, request)).ack);
    },
    broadcast: (value, clientMessageId) => client.broadcast(value, clientMessageId),
    mark: async (marker) => {
      await client.unary(chat, chat.setMarkers, { markers: [marker] });
    },
    type: async (to, typing = true) => {
      await client.unary(chat, chat.setTyping, { target: targetOf(to), typing });
    },
    act: async () => {
      await client.unary(chat, chat.reportActivity, {});
    },
  };
}

function throughConnect(client: TestClient, stream: TestStream): Here {
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
    mark: async (marker) => {
      await write({ $case: "setMarkers", value: { markers: [marker] } });
      await marked(client, stream, marker);
    },
    type: (to, typing = true) => write({ $case: "setTyping", value: { target: targetOf(to), typing } }),
    act: () => write({ $case: "reportActivity", value: {} }),
  };
}

/** Sends on a stream, and waits for the answer to that send, without taking anything from the stream. */
async function answered(
  stream: TestStream,
  clientMessageId: bigint,
  kind: NonNullable<Command["kind"]>,
): Promise<Ack> {
  const answers = (): (Ack | EventOf<"refused">)[] =>
    stream.events.flatMap(({ kind: one }) =>
      (one?.$case === "ack" || one?.$case === "refused") && one.value.clientMessageId === clientMessageId
        ? [one.value]
        : [],
    );
  const before = answers().length;
  stream.write({ kind });
  let answer = answers()[before];
  for (; answer === undefined; answer = answers()[before]) {
    await endsWith(stream);
  }
  if ("seq" in answer) return answer;
  throw errorOf(answer);
}

/** A marker has no answer unless it is refused, but its own user's streams are told that it rose. */
async function marked(client: TestClient, stream: TestStream, marker: Marker): Promise<void> {
  const { conversationId, deliveredSeq, readSeq } = marker;
  const isTold = (): boolean =>
    stream
      .all("markersMoved")
      .some(
        (one) =>
          one.conversationId === conversationId &&
          one.user?.userId === client.grant?.user?.userId &&
          one.deliveredSeq >= deliveredSeq &&
          one.readSeq >= readSeq,
      );
  const refusals = (): EventOf<"refused">[] =>
    stream.all("refused").filter((one) => one.conversationId === conversationId);
  const before = refusals().length;
  while (!isTold()) {
    const refused = refusals()[before];
    if (refused !== undefined) throw errorOf(refused);
    await endsWith(stream);
  }
}

/** Resolves when more has come. @throws RpcError where the stream ends instead, as a call would be refused */
async function endsWith(stream: TestStream): Promise<void> {
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

function targetOf(to: To) {
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
