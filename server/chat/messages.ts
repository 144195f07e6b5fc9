// The rules of sending: where a message may go, what it may be, and what the sender is told.
import type { Target } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { AppendResult, AppendTarget, LogStore, UserRow } from "../store/store.ts";
import type { SendOrigin } from "./delivery.ts";
import type { StoredSend } from "./encoding.ts";
import type { Users } from "./users.ts";

/** Who sends, and from where. */
export interface Sender {
  readonly user: UserRow;
  readonly deviceId: number;
  /** The stream that gets the Ack at the entry's place; undefined for a unary call. */
  readonly stream: object | undefined;
}

/** A place to send to, found and checked. */
export interface Destination {
  readonly target: AppendTarget;
  /** The other user of a direct conversation. */
  readonly peer: UserRow | undefined;
}

/** A content as the sender encoded it, and as it decodes. */
export interface SentContent {
  readonly bytes: Uint8Array | undefined;
  readonly decoded: Content | undefined;
}

/** Where a send stands in the log. */
export interface StoredMessage extends StoredSend {
  /** It had been stored before. */
  readonly repeated: boolean;
}

const CLIENT_IDS_END = 2n ** 63n;

export class Messages {
  readonly #log: LogStore;
  readonly #users: Users;
  readonly #broadcastId: number;
  readonly #clock: Clock;
  #lastServerId = 0n;

  constructor(log: LogStore, users: Users, broadcastId: number, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#log = log;
    this.#users = users;
    this.#broadcastId = broadcastId;
  }

  get broadcast(): Destination {
    return { target: { conversationId: this.#broadcastId }, peer: undefined };
  }

  /**
   * Finds where a target leads. Answers at once where everything is remembered; a caller whose sends have an order
   * waits for one answer before it asks for the next.
   * @throws Refusal USER_NOT_FOUND, RECIPIENT_IS_SELF, CONVERSATION_NOT_FOUND, INVALID_FIELD
   */
  destination(sender: UserRow, target: Target | undefined): Destination | Promise<Destination> {
    const named = target?.target;
    switch (named?.$case) {
      case "username": {
        const found = this.#users.byName(named.value);
        return found instanceof Promise ? found.then((peer) => toPeer(sender, peer)) : toPeer(sender, found);
      }
      case "conversationId":
        return this.#conversation(sender, named.value);
      default:
        throw new Refusal(Reason.INVALID_FIELD, {
          field: "target",
          message: "Name a user or a conversation.",
        });
    }
  }

  /**
   * Appends. The call itself fixes the order; the answer comes when the entry is committed.
   * @param clientMessageId 0 lets the server choose one
   * @throws Refusal at once for what is wrong with the content or the id; rejects with one for what the store says
   */
  append(
    sender: Sender,
    destination: Destination,
    clientMessageId: bigint,
    content: SentContent,
  ): Promise<StoredMessage> {
    if (clientMessageId >= CLIENT_IDS_END) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "client_message_id",
        message: "A client message id is at most 2^63-1.",
      });
    }
    const bytes = checkContent(content);
    const id = clientMessageId === 0n ? this.#nextServerId() : clientMessageId;
    const origin: SendOrigin = {
      users: { sender: sender.user, recipient: destination.peer },
      stream: sender.stream,
    };
    const appended = this.#log.append({
      senderId: sender.user.userId,
      deviceId: sender.deviceId,
      clientMessageId: id,
      target: destination.target,
      content: bytes,
      time: this.#clock.now(),
      origin,
    });
    return appended.then((result) => stored(id, result));
  }

  async #conversation(sender: UserRow, id: string): Promise<Destination> {
    const conversationId = parseId("conversation", id);
    const row =
      conversationId === undefined ? undefined : await this.#log.conversation(sender.userId, conversationId);
    if (row === undefined)
      throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: "target.conversation_id" });
    return { target: { conversationId: row.conversationId }, peer: row.peer };
  }

  /** Ids of the upper half, which clients may not use: rising, and not repeated after a restart. */
  #nextServerId(): bigint {
    const fromClock = CLIENT_IDS_END + (BigInt(this.#clock.now()) << 20n);
    this.#lastServerId = fromClock > this.#lastServerId ? fromClock : this.#lastServerId + 1n;
    return this.#lastServerId;
  }
}

function toPeer(sender: UserRow, peer: UserRow | undefined): Destination {
  if (peer === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field: "target.username" });
  if (peer.userId === sender.userId)
    throw new Refusal(Reason.RECIPIENT_IS_SELF, { field: "target.username" });
  return { target: { peerId: peer.userId }, peer };
}

function checkContent(content: SentContent): Uint8Array {
  const { bytes, decoded } = content;
  if (bytes === undefined || bytes.length === 0)
    throw new Refusal(Reason.CONTENT_EMPTY, { field: "content" });
  if (bytes.length > limits.contentBytes) {
    throw new Refusal(Reason.CONTENT_TOO_LARGE, {
      field: "content",
      message: `The message has ${bytes.length} bytes; at most ${limits.contentBytes} are allowed.`,
    });
  }
  // Any other kind is opaque to this server and kept as it is.
  if (decoded?.kind?.$case === "text") {
    if (decoded.kind.value === "") throw new Refusal(Reason.CONTENT_EMPTY, { field: "content.text" });
    if (decoded.kind.value.includes("\0")) {
      throw new Refusal(Reason.INVALID_FIELD, { field: "content.text", message: "A text has no NUL in it." });
    }
  }
  return bytes;
}

function stored(clientMessageId: bigint, result: AppendResult): StoredMessage {
  switch (result.status) {
    case "stored":
    case "repeated": {
      const { status, ...place } = result;
      return { clientMessageId, ...place, repeated: status === "repeated" };
    }
    case "id-reused":
      throw new Refusal(Reason.CLIENT_MESSAGE_ID_REUSED, { field: "client_message_id" });
    case "no-user":
      throw new Refusal(Reason.USER_NOT_FOUND, { field: "target.username" });
    case "no-conversation":
      throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: "target.conversation_id" });
    case "blocked":
      throw new Refusal(Reason.BLOCKED_BY_RECIPIENT, { field: "target" });
  }
}
