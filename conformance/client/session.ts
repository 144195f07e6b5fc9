// A session of a user: the calls that checks make, and the streams that they open.
import { AuthServiceService, type Grant } from "../../gen/parley/chat/v1/auth_service.ts";
import { BlockServiceService } from "../../gen/parley/chat/v1/block_service.ts";
import {
  ChatServiceService,
  ConnectRequest,
  type Hello,
  type Target,
} from "../../gen/parley/chat/v1/chat_service.ts";
import type { Conversation, Marker } from "../../gen/parley/chat/v1/conversation.ts";
import { DirectoryServiceService } from "../../gen/parley/chat/v1/directory_service.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import type { Ack } from "../../gen/parley/chat/v1/event.ts";
import {
  HistoryServiceService,
  type ListMessagesRequest,
  type ListMessagesResponse,
} from "../../gen/parley/chat/v1/history_service.ts";
import { fullHello, hello as helloCommand, send, text, toConversation, toUser } from "./commands.ts";
import { Connection, type Server, type UnaryMethod } from "./connection.ts";
import { present } from "./expect.ts";
import { type Named, namedByHistory } from "./named.ts";
import { connectInPieces, type PieceCall } from "./one-piece.ts";
import { Stream } from "./stream.ts";

export class Session {
  readonly username: string;
  readonly grant: Grant;
  /** Whether the session was logged out, or ended by a check. */
  hasEnded = false;
  readonly #server: Server;
  readonly #isAdditional: boolean;
  #connection: Connection;
  readonly #streams: Stream[] = [];
  readonly #pieces: PieceCall[] = [];
  #lastId = 0n;

  /** @param isAdditional whether its user may have another session at the same time */
  constructor(server: Server, connection: Connection, grant: Grant, isAdditional: boolean) {
    this.#isAdditional = isAdditional;
    this.#server = server;
    this.#connection = connection;
    this.grant = grant;
    this.username = present("Grant.user", grant.user).username;
  }

  /** The next client message id of this session's device. */
  nextId(): bigint {
    this.#lastId++;
    return this.#lastId;
  }

  /** @throws RpcError */
  call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request | Uint8Array,
  ): Promise<Response> {
    return this.#connection.unary(method, request, this.grant.token);
  }

  /** Like `call`, but with another token or without one. */
  callAs<Request, Response>(
    token: string | undefined,
    method: UnaryMethod<Request, Response>,
    request: Request | Uint8Array,
  ): Promise<Response> {
    return this.#connection.unary(method, request, token);
  }

  /** Like `call`, but returns the encoded response. */
  callForBytes<Request>(method: UnaryMethod<Request, unknown>, request: Request): Promise<Buffer> {
    return this.#connection.unaryBytes(method.path, method.requestSerialize(request), this.grant.token);
  }

  // ---- streams

  /** Opens a stream, and sends Hello unless `hello` is null. */
  open(hello: Partial<Hello> | null = {}): Stream {
    const stream = this.openAs(this.grant.token);
    if (hello !== null) stream.write(helloCommand(hello));
    return stream;
  }

  /** Opens a stream with another token or without one, and sends nothing. */
  openAs(token: string | undefined): Stream {
    return this.#keep(this.#connection.connect(token));
  }

  /** Opens a stream that can send several messages in one DATA frame. */
  async connectInPieces(): Promise<PieceCall> {
    const first = ConnectRequest.encode({ commands: [helloCommand()] }).finish();
    const call = await connectInPieces(this.#server, this.grant.token, first);
    this.#pieces.push(call);
    return call;
  }

  /** Opens a stream, and waits until it has caught up. */
  connect(hello: Partial<Hello> = {}): Promise<Stream> {
    return this.open(hello).caughtUp();
  }

  follow(hello: Partial<Hello> = {}): Stream {
    const call = this.#connection.follow({ hello: fullHello(hello) }, this.grant.token);
    return this.#keep(call);
  }

  closeStreams(): void {
    for (const stream of this.#streams.splice(0)) stream.cancel();
    for (const call of this.#pieces.splice(0)) call[Symbol.dispose]();
  }

  // ---- the unary twins of commands

  async send(to: Session, content: string | Content, clientMessageId = this.nextId()): Promise<Ack> {
    return this.sendTo(toUser(to.username), content, clientMessageId);
  }

  async sendTo(
    target: Target | undefined,
    content: string | Content,
    clientMessageId = this.nextId(),
  ): Promise<Ack> {
    const request = {
      clientMessageId,
      target,
      content: typeof content === "string" ? text(content) : content,
    };
    const { ack } = await this.call(ChatServiceService.sendMessage, request);
    return present("SendMessageResponse.ack", ack);
  }

  async broadcast(content: string | Content, clientMessageId = this.nextId()): Promise<Ack> {
    const request = { clientMessageId, content: typeof content === "string" ? text(content) : content };
    const { ack } = await this.call(ChatServiceService.broadcast, request);
    return present("BroadcastResponse.ack", ack);
  }

  /** Sends on a stream, which receives the answers as events. @returns the client message ids */
  sendOn(stream: Stream, to: Session, texts: readonly string[]): bigint[] {
    return texts.map((value) => {
      const id = this.nextId();
      stream.write(send(id, toUser(to.username), text(value)));
      return id;
    });
  }

  async setMarkers(...markers: Marker[]): Promise<void> {
    await this.call(ChatServiceService.setMarkers, { markers });
  }

  async setTyping(target: Target, typing = true): Promise<void> {
    await this.call(ChatServiceService.setTyping, { target, typing });
  }

  async leave(processId: string): Promise<void> {
    await this.call(ChatServiceService.leave, { processId });
  }

  // ---- the other services

  async block(whom: Session): Promise<void> {
    await this.call(BlockServiceService.blockUser, { username: whom.username });
  }

  async unblock(whom: Session): Promise<void> {
    await this.call(BlockServiceService.unblockUser, { username: whom.username });
  }

  /** The names of the users that this user blocks. */
  async blocks(): Promise<string[]> {
    const request = { pageSize: 0, pageToken: "" };
    const { blocks } = await this.call(BlockServiceService.listBlocks, request);
    return blocks.map(({ user }) => user?.username ?? "");
  }

  /** The names of the other users who are online, or were online within the last `seconds`. */
  async onlineUsers(seconds?: bigint): Promise<string[]> {
    const onlineWithin = seconds === undefined ? undefined : { seconds, nanos: 0 };
    const request = { onlineWithin, pageSize: 1_000, pageToken: "", background: false };
    const { users } = await this.call(DirectoryServiceService.listUsers, request);
    return users.map(({ user }) => user?.username ?? "");
  }

  async conversation(conversationId: string): Promise<Conversation> {
    for (let pageToken = ""; ; ) {
      const request = { pageSize: 0, pageToken, background: false };
      const page = await this.call(HistoryServiceService.listConversations, request);
      const found = page.conversations.find((one) => one.conversationId === conversationId);
      if (found !== undefined || page.nextPageToken === "") {
        return present(`${conversationId} among the conversations`, found);
      }
      pageToken = page.nextPageToken;
    }
  }

  listMessages(target: Target, range: Partial<ListMessagesRequest> = {}): Promise<ListMessagesResponse> {
    const defaults = {
      fromSeq: 0n,
      toSeq: 0n,
      fromTime: undefined,
      toTime: undefined,
      order: 0 as const,
      pageSize: 0,
      pageToken: "",
      background: false,
    };
    return this.call(HistoryServiceService.listMessages, { target, ...defaults, ...range });
  }

  /** A range of a log, read from all its pages. */
  async log(conversationId: string, fromSeq: bigint, toSeq = 0n): Promise<Named[]> {
    const named: Named[] = [];
    for (let pageToken = ""; ; ) {
      const page = await this.listMessages(toConversation(conversationId), { fromSeq, toSeq, pageToken });
      named.push(...namedByHistory(page.items));
      pageToken = page.nextPageToken;
      if (pageToken === "") return named;
    }
  }

  /** The head of the conversation with a user; its id is "" if the conversation has no message. */
  async head(other: Session): Promise<{ readonly conversationId: string; readonly seq: bigint }> {
    const page = await this.listMessages(toUser(other.username), { pageSize: 1, fromSeq: 1n, toSeq: 1n });
    return { conversationId: page.conversationId, seq: page.headSeq };
  }

  // ---- the end

  async logOut(): Promise<void> {
    this.hasEnded = true;
    await this.call(AuthServiceService.logOut, {});
  }

  /**
   * Replaces the connection after a restart of the server. If that fails, the old connection is kept, and calls on it
   * fail.
   * @throws ConnectError
   */
  async reconnect(): Promise<void> {
    const connection = await Connection.open(this.#server);
    this.close();
    this.#connection = connection;
  }

  close(): void {
    this.closeStreams();
    this.#connection[Symbol.dispose]();
  }

  #keep(call: ConstructorParameters<typeof Stream>[0]): Stream {
    const stream = new Stream(call, this.#server.patienceMs, this.#isAdditional);
    this.#streams.push(stream);
    return stream;
  }
}
