// The rules of sending: valid destinations, valid contents, and the result for the sender.
import type { Target } from "../../gen/parley/chat/v1/chat_service.ts";
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import type { Clock } from "../../time/clock.ts";
import { parseId } from "../ids.ts";
import { limits } from "../limits.ts";
import { Refusal } from "../reasons.ts";
import type { AppendResult, AppendTarget, LogStore, UserRow } from "../store/store.ts";
import { checkKind } from "./content-kinds.ts";
import type { WaitingSends } from "./delivery/waiting-sends.ts";
import type { StoredSend } from "./encoding.ts";
import type { UserCache } from "./user-cache.ts";

/** The user, device and stream that a message is sent from. */
export interface MessageSender {
  readonly user: UserRow;
  readonly deviceId: number;
  /** The stream that receives the Ack in the entry's position; undefined for a unary call. */
  readonly stream: object | undefined;
}

/** A conversation or user that exists and that the sender may send to. */
export interface Destination {
  readonly target: AppendTarget;
  /** The other user of a direct conversation. */
  readonly peer: UserRow | undefined;
}

/** A content in two forms: the bytes as the sender encoded them, and the decoded message. */
export interface SentContent {
  readonly bytes: Uint8Array | undefined;
  readonly decoded: Content | undefined;
}

/** The result of a send: the position of its entry in the log. */
export interface StoredMessage extends StoredSend {
  /** Whether an earlier send with the same client message id had already stored the entry. */
  readonly repeated: boolean;
}

/** Client message ids from here on are chosen by the server; clients use lower ones. */
const FIRST_SERVER_MESSAGE_ID = 2n ** 63n;

export class MessageSending {
  readonly #log: LogStore;
  readonly #waiting: WaitingSends;
  readonly #users: UserCache;
  readonly #broadcastId: number;
  readonly #clock: Clock;
  #lastServerId = 0n;

  constructor(log: LogStore, waiting: WaitingSends, users: UserCache, broadcastId: number, clock: Clock) {
    this.#clock = clock;
    this.#waiting = waiting;
    this.#log = log;
    this.#users = users;
    this.#broadcastId = broadcastId;
  }

  get broadcast(): Destination {
    return { target: { conversationId: this.#broadcastId }, peer: undefined };
  }

  /**
   * Resolves a target. The result is not a promise if the user is cached. To keep the order of its sends, a caller must
   * await each result before it asks for the next.
   * @throws Refusal USER_NOT_FOUND, RECIPIENT_IS_SELF, CONVERSATION_NOT_FOUND, INVALID_FIELD
   */
  destination(sender: UserRow, target: Target | undefined): Destination | Promise<Destination> {
    const named = target?.target;
    switch (named?.$case) {
      case "username": {
        const found = this.#users.byName(named.value);
        return found instanceof Promise ? found.then((peer) => toPeer(sender, peer)) : toPeer(sender, found);
      }
      case "userId": {
        const found = this.#userById(named.value);
        const field = "target.user_id";
        return found instanceof Promise
          ? found.then((peer) => toPeer(sender, peer, field))
          : toPeer(sender, found, field);
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
   * Appends an entry. The order of the calls is the order of the entries. Resolves when the entry is committed.
   * @param clientMessageId 1 to 2^63-1; with 0 the server chooses one above that
   * @throws Refusal synchronously if the content or the id is invalid, and by rejecting if the store refuses the entry
   */
  append(
    sender: MessageSender,
    destination: Destination,
    clientMessageId: bigint,
    content: SentContent,
  ): Promise<StoredMessage> {
    if (clientMessageId >= FIRST_SERVER_MESSAGE_ID) {
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "client_message_id",
        message: "A client message id is at most 2^63-1.",
        facts: { maximum: String(FIRST_SERVER_MESSAGE_ID - 1n), actual: String(clientMessageId) },
      });
    }
    const checked = checkContent(content);
    const id = clientMessageId === 0n ? this.#nextServerId() : clientMessageId;
    const { user, deviceId, stream } = sender;
    const waiting = this.#waiting.add(deviceId, id, user, destination.peer, stream);
    const appended = this.#log.append({
      senderId: user.userId,
      deviceId,
      clientMessageId: id,
      target: destination.target,
      ...checked,
      time: this.#clock.now(),
    });
    return appended.then(
      (result) => {
        if (result.status !== "stored") this.#waiting.remove(deviceId, id, waiting);
        return stored(id, result);
      },
      (error: unknown) => {
        this.#waiting.remove(deviceId, id, waiting);
        throw error;
      },
    );
  }

  #userById(id: string): UserRow | undefined | Promise<UserRow | undefined> {
    const userId = parseId("user", id);
    return userId === undefined ? undefined : this.#users.byId(userId);
  }

  async #conversation(sender: UserRow, id: string): Promise<Destination> {
    const conversationId = parseId("conversation", id);
    const row =
      conversationId === undefined ? undefined : await this.#log.conversation(sender.userId, conversationId);
    if (row === undefined)
      throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: "target.conversation_id" });
    return { target: { conversationId: row.conversationId }, peer: row.peer };
  }

  /** Returns an id of 2^63 or more, which clients may not use. The ids keep rising across restarts. */
  #nextServerId(): bigint {
    const fromClock = FIRST_SERVER_MESSAGE_ID + (BigInt(this.#clock.now()) << 20n);
    this.#lastServerId = fromClock > this.#lastServerId ? fromClock : this.#lastServerId + 1n;
    return this.#lastServerId;
  }
}

function toPeer(sender: UserRow, peer: UserRow | undefined, field = "target.username"): Destination {
  if (peer === undefined) throw new Refusal(Reason.USER_NOT_FOUND, { field });
  if (peer.userId === sender.userId) throw new Refusal(Reason.RECIPIENT_IS_SELF, { field });
  return { target: { peerId: peer.userId }, peer };
}

/** @throws Refusal CONTENT_EMPTY, CONTENT_TOO_LARGE, CONTENT_KIND_UNKNOWN, INVALID_FIELD */
function checkContent({ bytes, decoded }: SentContent): {
  readonly content: Uint8Array;
  readonly kind: number;
} {
  if (bytes === undefined || bytes.length === 0)
    throw new Refusal(Reason.CONTENT_EMPTY, { field: "content" });
  if (bytes.length > limits.contentBytes) {
    throw new Refusal(Reason.CONTENT_TOO_LARGE, {
      field: "content",
      message: `The message has ${bytes.length} bytes; at most ${limits.contentBytes} are allowed.`,
      facts: { maximum: limits.contentBytes, unit: "bytes", actual: bytes.length },
    });
  }
  return { content: bytes, kind: checkKind(decoded) };
}

function stored(clientMessageId: bigint, result: AppendResult): StoredMessage {
  switch (result.status) {
    case "stored":
    case "repeated": {
      const { status, ...position } = result;
      return { clientMessageId, ...position, repeated: status === "repeated" };
    }
    case "id-reused":
      throw new Refusal(Reason.CLIENT_MESSAGE_ID_REUSED, { field: "client_message_id" });
    case "no-user":
      throw new Refusal(Reason.USER_NOT_FOUND, { field: "target" });
    case "no-conversation":
      throw new Refusal(Reason.CONVERSATION_NOT_FOUND, { field: "target.conversation_id" });
    case "blocked":
      throw new Refusal(Reason.BLOCKED_BY_RECIPIENT, { field: "target" });
  }
}
