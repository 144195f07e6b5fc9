// The unary calls of a session as functions. A refusal is an RpcError; after a ConnectError nothing was sent.
import type {
  Device,
  DeviceKey,
  Grant,
  LogInRecord,
  Session,
} from "../../../gen/parley/chat/v1/auth_service.ts";
import type { Block } from "../../../gen/parley/chat/v1/block_service.ts";
import type { ClientInfo } from "../../../gen/parley/chat/v1/chat_service.ts";
import type { Conversation, Marker } from "../../../gen/parley/chat/v1/conversation.ts";
import type { UserPresence } from "../../../gen/parley/chat/v1/directory_service.ts";
import type { Content } from "../../../gen/parley/chat/v1/entry.ts";
import type { Ack } from "../../../gen/parley/chat/v1/event.ts";
import { type ListMessagesResponse, PageOrder } from "../../../gen/parley/chat/v1/history_service.ts";
import type { User } from "../../../gen/parley/chat/v1/user.ts";
import type { SendTarget } from "../model/send-queue.ts";
import { type ConversationTarget, wireTarget } from "../model/target.ts";
import type { CallOptions, Endpoint } from "./endpoint.ts";

/** The options of `logIn`. */
export interface LogInOptions {
  /** The user's name, which must match exactly. */
  readonly username: string;
  /** The user's password. The SDK does not store it. */
  readonly password: string;
  /** The device of an earlier log-in; without it the server creates a new one. */
  readonly device?: DeviceKey | undefined;
  /** Describes the program in the user's list of sessions; each text has at most 64 bytes. */
  readonly client?: ClientInfo | undefined;
}

/**
 * Starts a session. It is safe to repeat: a lost answer only leaves an unused session behind.
 * @throws RpcError, such as CREDENTIALS_WRONG, ACCOUNT_LOCKED or DEVICE_INVALID
 * @throws ConnectError: the password was not sent
 */
export async function logIn(
  endpoint: Endpoint,
  options: LogInOptions,
  call: CallOptions = {},
): Promise<Grant> {
  const { username, password, device, client } = options;
  const clients = await endpoint.clients(call);
  const { grant } = await endpoint.call(clients.auth, "logIn", { username, password, device, client }, call);
  return granted(grant);
}

/** The options of `signUp`. */
export interface SignUpOptions {
  /** At most 64 bytes. The server refuses a name that looks like an existing one. */
  readonly username: string;
  /** The server refuses a password that is too short. */
  readonly password: string;
  /** The invite, if the server requires one; else "". */
  readonly invite: string;
  /** As in LogInOptions. */
  readonly client?: ClientInfo | undefined;
}

/**
 * Creates an account and starts its first session.
 * @throws RpcError, such as USERNAME_TAKEN or INVITE_INVALID; ConnectError
 */
export async function signUp(
  endpoint: Endpoint,
  options: SignUpOptions,
  call: CallOptions = {},
): Promise<Grant> {
  const { username, password, invite, client } = options;
  const clients = await endpoint.clients(call);
  const { grant } = await endpoint.call(clients.auth, "signUp", { username, password, invite, client }, call);
  return granted(grant);
}

/** The options of `resetPassword`. */
export interface ResetPasswordOptions {
  /** The secret in the link of the server's operator. */
  readonly reset: string;
  /** The server refuses a password that is too short. */
  readonly newPassword: string;
  /** As in LogInOptions. */
  readonly client?: ClientInfo | undefined;
}

/**
 * Sets a new password, ends all sessions of the user, and starts a session on a new device.
 * @throws RpcError, such as RESET_INVALID or PASSWORD_INVALID; ConnectError
 */
export async function resetPassword(
  endpoint: Endpoint,
  { reset, newPassword, client }: ResetPasswordOptions,
  call: CallOptions = {},
): Promise<{ grant: Grant; endedSessions: number }> {
  const clients = await endpoint.clients(call);
  const request = { reset, newPassword, client };
  const { grant, endedSessions } = await endpoint.call(clients.auth, "resetPassword", request, call);
  return { grant: granted(grant), endedSessions };
}

/** The part of a conversation's log to list; by default all of it. */
export interface MessageRange {
  /** The first seq to list. */
  readonly fromSeq?: bigint;
  /** The last seq to list, inclusive. */
  readonly toSeq?: bigint;
  /** List only what was stored at this time or later. */
  readonly fromTime?: Date;
  /** List only what was stored before this time. */
  readonly toTime?: Date;
  /** List the pages from the highest seqs to the lowest. Within a page the seqs always rise. */
  readonly newestFirst?: boolean;
  /** The number of entries per page, at most 500. */
  readonly pageSize?: number;
  /** As in ListOptions. */
  readonly background?: boolean;
}

/** The options of a list. */
export interface ListOptions {
  /** No person asked for the list: the call does not count as activity and does not restart the idle time-out. */
  readonly background?: boolean;
}

/** The calls of one session. Each method rejects with RpcError, or with ConnectError if nothing was sent. */
export class Account {
  /** The server. */
  readonly endpoint: Endpoint;
  readonly #token: string;

  /** @param token the session's token, from a Grant */
  constructor(endpoint: Endpoint, token: string) {
    this.endpoint = endpoint;
    this.#token = token;
  }

  /** Ends the session and its open streams. */
  async logOut(options?: CallOptions): Promise<void> {
    const { auth } = await this.endpoint.clients(options);
    await this.endpoint.call(auth, "logOut", {}, this.#with(options));
  }

  /** Changes the password. Resolves to the number of other sessions that this ended. */
  async changePassword(oldPassword: string, newPassword: string, options?: CallOptions): Promise<number> {
    const { auth } = await this.endpoint.clients(options);
    const request = { oldPassword, newPassword };
    return (await this.endpoint.call(auth, "changePassword", request, this.#with(options))).endedSessions;
  }

  /** The user's sessions, by log-in time, newest first. */
  async *listSessions(options?: CallOptions): AsyncGenerator<Session> {
    yield* pages(async (pageToken) => {
      const { auth } = await this.endpoint.clients(options);
      const page = await this.endpoint.call(
        auth,
        "listSessions",
        { pageSize: 0, pageToken },
        this.#with(options),
      );
      return { items: page.sessions, nextPageToken: page.nextPageToken };
    });
  }

  /** Removes the account, after a check of the password. Messages that were sent stay. @throws RpcError */
  async deleteAccount(password: string, options?: CallOptions): Promise<void> {
    const { auth } = await this.endpoint.clients(options);
    await this.endpoint.call(auth, "deleteAccount", { password }, this.#with(options));
  }

  /** The devices on which the user has logged in, the newest first. */
  async *listDevices(options?: CallOptions): AsyncGenerator<Device> {
    yield* pages(async (pageToken) => {
      const { auth } = await this.endpoint.clients(options);
      const page = await this.endpoint.call(
        auth,
        "listDevices",
        { pageSize: 0, pageToken },
        this.#with(options),
      );
      return { items: page.devices, nextPageToken: page.nextPageToken };
    });
  }

  /** Removes a device with its keys and its sessions. Returns how many sessions ended. */
  async removeDevice(deviceId: string, options?: CallOptions): Promise<number> {
    const { auth } = await this.endpoint.clients(options);
    const response = await this.endpoint.call(auth, "removeDevice", { deviceId }, this.#with(options));
    return response.endedSessions;
  }

  /** Ends one of the user's sessions; its streams end within seconds. */
  async revokeSession(sessionId: string, options?: CallOptions): Promise<void> {
    const { auth } = await this.endpoint.clients(options);
    await this.endpoint.call(auth, "revokeSession", { sessionId }, this.#with(options));
  }

  /**
   * Makes one attempt to send, and resolves when the server has stored the message. The attempt can be repeated under
   * the same id; `sendOnce` does that.
   */
  async sendMessage(
    target: SendTarget,
    content: Content,
    clientMessageId: bigint,
    options?: CallOptions,
  ): Promise<Ack> {
    const { chat } = await this.endpoint.clients(options);
    const { ack } =
      target.kind === "broadcast"
        ? await this.endpoint.call(chat, "broadcast", { clientMessageId, content }, this.#with(options))
        : await this.endpoint.call(
            chat,
            "sendMessage",
            { clientMessageId, target: wireTarget(target), content },
            this.#with(options),
          );
    if (ack === undefined) throw new Error("The server's answer to a send has no ack.");
    return ack;
  }

  /** Sends a text to the broadcast conversation; otherwise as `sendMessage`. */
  broadcast(text: string, clientMessageId: bigint, options?: CallOptions): Promise<Ack> {
    return this.sendMessage({ kind: "broadcast" }, textContent(text), clientMessageId, options);
  }

  /** Raises 1 to 1,000 markers, at most one for each conversation. */
  async setMarkers(
    markers: readonly Pick<Marker, "conversationId" | "deliveredSeq" | "readSeq">[],
    options?: CallOptions,
  ): Promise<void> {
    const { chat } = await this.endpoint.clients(options);
    const request = {
      markers: markers.map((marker) => ({ ...marker, deliveredTime: undefined, readTime: undefined })),
    };
    await this.endpoint.call(chat, "setMarkers", request, this.#with(options));
  }

  /**
   * The other users who are online, ordered by name; with `onlineWithinMs`, those who were online within that time.
   * `pageToken` continues the list of a Welcome.
   */
  async *listUsers(
    wanted: ListOptions & { onlineWithinMs?: number; pageToken?: string } = {},
    options?: CallOptions,
  ): AsyncGenerator<UserPresence> {
    const ms = wanted.onlineWithinMs;
    const onlineWithin =
      ms === undefined
        ? undefined
        : { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.floor(ms % 1000) * 1_000_000 };
    yield* pages(async (pageToken) => {
      const { directory } = await this.endpoint.clients(options);
      const request = { onlineWithin, pageSize: 0, pageToken, background: wanted.background === true };
      const page = await this.endpoint.call(directory, "listUsers", request, this.#with(options));
      return { items: page.users, nextPageToken: page.nextPageToken };
    }, wanted.pageToken);
  }

  /** The user's conversations, including the broadcast conversation, in the order of their creation. */
  async *listConversations(
    { background = false }: ListOptions = {},
    options?: CallOptions,
  ): AsyncGenerator<Conversation> {
    yield* pages(async (pageToken) => {
      const { history } = await this.endpoint.clients(options);
      const request = { pageSize: 0, pageToken, background };
      const page = await this.endpoint.call(history, "listConversations", request, this.#with(options));
      return { items: page.conversations, nextPageToken: page.nextPageToken };
    });
  }

  /** One conversation; undefined if it is with a user and there is no message yet. @throws RpcError */
  async getConversation(
    target: ConversationTarget,
    { background = false }: ListOptions = {},
    options?: CallOptions,
  ): Promise<Conversation | undefined> {
    const { history } = await this.endpoint.clients(options);
    const request = { target: wireTarget(target), background };
    const { conversation } = await this.endpoint.call(
      history,
      "getConversation",
      request,
      this.#with(options),
    );
    return conversation;
  }

  /** One user with the presence that is told, by name. @throws RpcError, such as USER_NOT_FOUND */
  async getUser(
    username: string,
    { background = false }: ListOptions = {},
    options?: CallOptions,
  ): Promise<UserPresence> {
    const { directory } = await this.endpoint.clients(options);
    const request = { user: { $case: "username" as const, value: username }, background };
    const { user } = await this.endpoint.call(directory, "getUser", request, this.#with(options));
    if (user === undefined) throw new Error("The server's answer has no user.");
    return user;
  }

  /** The users whose names begin with a text, ordered by name. Upper and lower case are equal. */
  async *searchUsers(
    prefix: string,
    { background = false }: ListOptions = {},
    options?: CallOptions,
  ): AsyncGenerator<User> {
    yield* pages(async (pageToken) => {
      const { directory } = await this.endpoint.clients(options);
      const request = { prefix, pageSize: 0, pageToken, background };
      const page = await this.endpoint.call(directory, "searchUsers", request, this.#with(options));
      return { items: page.users, nextPageToken: page.nextPageToken };
    });
  }

  /** The pages of a log. A page has each seq of its range once: as an entry, as omitted, or in a gap. */
  async *listMessages(
    target: ConversationTarget,
    range: MessageRange = {},
    options?: CallOptions,
  ): AsyncGenerator<ListMessagesResponse> {
    yield* pages(async (pageToken) => {
      const { history } = await this.endpoint.clients(options);
      const request = {
        target: wireTarget(target),
        fromSeq: range.fromSeq ?? 0n,
        toSeq: range.toSeq ?? 0n,
        fromTime: range.fromTime,
        toTime: range.toTime,
        order: range.newestFirst === true ? PageOrder.NEWEST_FIRST : PageOrder.OLDEST_FIRST,
        pageSize: range.pageSize ?? 0,
        pageToken,
        background: range.background === true,
      };
      const page = await this.endpoint.call(history, "listMessages", request, this.#with(options));
      return { items: [page], nextPageToken: page.nextPageToken };
    });
  }

  /** Blocks a user: messages from that user no longer arrive. @throws RpcError, such as ALREADY_BLOCKED */
  async blockUser(username: string, options?: CallOptions): Promise<Block> {
    const { blocks } = await this.endpoint.clients(options);
    const { block } = await this.endpoint.call(blocks, "blockUser", { username }, this.#with(options));
    if (block === undefined) throw new Error("The server's answer to a block has no block.");
    return block;
  }

  /** Ends a block. Messages that it kept out stay hidden. @throws RpcError, such as NOT_BLOCKED */
  async unblockUser(username: string, options?: CallOptions): Promise<User> {
    const { blocks } = await this.endpoint.clients(options);
    const { user } = await this.endpoint.call(blocks, "unblockUser", { username }, this.#with(options));
    if (user === undefined) throw new Error("The server's answer to an unblock has no user.");
    return user;
  }

  /** The user's blocks, ordered by user name. */
  async *listBlocks(options?: CallOptions): AsyncGenerator<Block> {
    yield* pages(async (pageToken) => {
      const { blocks } = await this.endpoint.clients(options);
      const request = { pageSize: 0, pageToken };
      const page = await this.endpoint.call(blocks, "listBlocks", request, this.#with(options));
      return { items: page.blocks, nextPageToken: page.nextPageToken };
    });
  }

  /** The user's log-ins, newest first; with `allUsers` those of all users, or with `username` those of one, for administrators only. */
  async *listLogIns(
    { allUsers = false, username = "" }: { allUsers?: boolean; username?: string } = {},
    options?: CallOptions,
  ): AsyncGenerator<LogInRecord> {
    yield* pages(async (pageToken) => {
      const { auth } = await this.endpoint.clients(options);
      const request = { pageSize: 0, pageToken, allUsers, username };
      const page = await this.endpoint.call(auth, "listLogIns", request, this.#with(options));
      return { items: page.logIns, nextPageToken: page.nextPageToken };
    });
  }

  /** Reports that a person is active: the server restarts the idle time-out. */
  async reportActivity(options?: CallOptions): Promise<void> {
    const { chat } = await this.endpoint.clients(options);
    await this.endpoint.call(chat, "reportActivity", {}, this.#with(options));
  }

  #with(options: CallOptions | undefined): CallOptions & { token: string } {
    return { ...options, token: this.#token };
  }
}

/** A Content with plain text. */
export function textContent(text: string): Content {
  return { kind: { $case: "text", value: text } };
}

async function* pages<T>(
  load: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
  first = "",
): AsyncGenerator<T> {
  let pageToken = first;
  do {
    const page = await load(pageToken);
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

function granted(grant: Grant | undefined): Grant {
  if (grant === undefined) throw new Error("The server's answer to a log-in has no grant.");
  return grant;
}
