// The calls of one log-in, as functions. A refusal is an RpcError; a ConnectError means that nothing was sent.
import type { DeviceKey, Grant, LogInRecord, Session } from "../../../gen/parley/chat/v1/auth_service.ts";
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

/** Who logs in, and with what. */
export interface LogInOptions {
  /** The user's name; it has to match exactly. */
  readonly username: string;
  /** The user's password. It is kept nowhere. */
  readonly password: string;
  /** This installation's device, if it has one there; else the server makes one. */
  readonly device?: DeviceKey | undefined;
  /** What program this is, as the user sees it among the sessions; each text at most 64 bytes. */
  readonly client?: ClientInfo | undefined;
}

/**
 * Starts a session. Safe to repeat: an answer that was lost leaves a session that nobody uses.
 * @throws RpcError, such as CREDENTIALS_WRONG, ACCOUNT_LOCKED or DEVICE_INVALID
 * @throws ConnectError, and then no password was sent
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

/** The account to make. */
export interface SignUpOptions {
  /** At most 64 bytes, and not too like one that exists. */
  readonly username: string;
  /** As long as the server asks for; it refuses one that is too short. */
  readonly password: string;
  /** Where the server asks for one; else "". */
  readonly invite: string;
  /** As in LogInOptions. */
  readonly client?: ClientInfo | undefined;
}

/**
 * Makes an account and starts its first session.
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

/** A part of a log to list: all of it where nothing is said. */
export interface MessageRange {
  /** The first seq wanted. */
  readonly fromSeq?: bigint;
  /** The last seq wanted, included. */
  readonly toSeq?: bigint;
  /** The first page has the highest seqs, and each next one lower ones. Inside a page they always rise. */
  readonly newestFirst?: boolean;
  /** The most entries in a page, at most 500. */
  readonly pageSize?: number;
  /** As in ListOptions. */
  readonly background?: boolean;
}

/** What a list may be asked for. */
export interface ListOptions {
  /** The program asks on its own account: no activity of a person, for the server's time-out. */
  readonly background?: boolean;
}

/** One session's calls. Every method rejects with RpcError, or with ConnectError where nothing was sent. */
export class Account {
  /** The server that is called. */
  readonly endpoint: Endpoint;
  readonly #token: string;

  /** @param token the session's, as a Grant has it */
  constructor(endpoint: Endpoint, token: string) {
    this.endpoint = endpoint;
    this.#token = token;
  }

  /** Ends the session, and with it its open streams. */
  async logOut(options?: CallOptions): Promise<void> {
    const { auth } = await this.endpoint.clients(options);
    await this.endpoint.call(auth, "logOut", {}, this.#with(options));
  }

  /** Resolves to the number of other sessions that it ended. */
  async changePassword(oldPassword: string, newPassword: string, options?: CallOptions): Promise<number> {
    const { auth } = await this.endpoint.clients(options);
    const request = { oldPassword, newPassword };
    return (await this.endpoint.call(auth, "changePassword", request, this.#with(options))).endedSessions;
  }

  /** The user's sessions, newest log-in first. */
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

  /** Ends one of the user's sessions; its streams end within seconds. */
  async revokeSession(sessionId: string, options?: CallOptions): Promise<void> {
    const { auth } = await this.endpoint.clients(options);
    await this.endpoint.call(auth, "revokeSession", { sessionId }, this.#with(options));
  }

  /**
   * One attempt to send; resolves when the server has stored the message. Under the same id it may be repeated as
   * often as need be: see `sendOnce`.
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

  /** Sends to everyone on the server; as sendMessage. */
  broadcast(text: string, clientMessageId: bigint, options?: CallOptions): Promise<Ack> {
    return this.sendMessage({ kind: "broadcast" }, textContent(text), clientMessageId, options);
  }

  /** Raises markers: 1 to 1,000, each conversation once. */
  async setMarkers(markers: Marker[], options?: CallOptions): Promise<void> {
    const { chat } = await this.endpoint.clients(options);
    await this.endpoint.call(chat, "setMarkers", { markers }, this.#with(options));
  }

  /**
   * Users by name, but for the own one: who is online, or with `onlineWithinMs` who was in that last while. A page
   * token of a Welcome goes on from there.
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

  /** The user's conversations, the broadcast one included, in the order in which they began. */
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

  /** Pages of a log. Each names every seq of its range once: as an entry, omitted, or a gap. */
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
        order: range.newestFirst === true ? PageOrder.NEWEST_FIRST : PageOrder.OLDEST_FIRST,
        pageSize: range.pageSize ?? 0,
        pageToken,
        background: range.background === true,
      };
      const page = await this.endpoint.call(history, "listMessages", request, this.#with(options));
      return { items: [page], nextPageToken: page.nextPageToken };
    });
  }

  /** Shuts a user out: nothing from there arrives any more. @throws RpcError, such as ALREADY_BLOCKED */
  async blockUser(username: string, options?: CallOptions): Promise<Block> {
    const { blocks } = await this.endpoint.clients(options);
    const { block } = await this.endpoint.call(blocks, "blockUser", { username }, this.#with(options));
    if (block === undefined) throw new Error("The server's answer to a block has no block.");
    return block;
  }

  /** Takes a block back; what it kept away stays away. @throws RpcError, such as NOT_BLOCKED */
  async unblockUser(username: string, options?: CallOptions): Promise<User> {
    const { blocks } = await this.endpoint.clients(options);
    const { user } = await this.endpoint.call(blocks, "unblockUser", { username }, this.#with(options));
    if (user === undefined) throw new Error("The server's answer to an unblock has no user.");
    return user;
  }

  /** Whom the user blocks, by name. */
  async *listBlocks(options?: CallOptions): AsyncGenerator<Block> {
    yield* pages(async (pageToken) => {
      const { blocks } = await this.endpoint.clients(options);
      const request = { pageSize: 0, pageToken };
      const page = await this.endpoint.call(blocks, "listBlocks", request, this.#with(options));
      return { items: page.blocks, nextPageToken: page.nextPageToken };
    });
  }

  /** Log-ins, newest first: the user's, or for an administrator everyone's. */
  async *listLogIns(
    { allUsers = false }: { allUsers?: boolean } = {},
    options?: CallOptions,
  ): AsyncGenerator<LogInRecord> {
    yield* pages(async (pageToken) => {
      const { auth } = await this.endpoint.clients(options);
      const request = { pageSize: 0, pageToken, allUsers };
      const page = await this.endpoint.call(auth, "listLogIns", request, this.#with(options));
      return { items: page.logIns, nextPageToken: page.nextPageToken };
    });
  }

  /** A person is at work here: the server's time-out begins anew. */
  async reportActivity(options?: CallOptions): Promise<void> {
    const { chat } = await this.endpoint.clients(options);
    await this.endpoint.call(chat, "reportActivity", {}, this.#with(options));
  }

  #with(options: CallOptions | undefined): CallOptions & { token: string } {
    return { ...options, token: this.#token };
  }
}

/** Plain text, as an entry's content. */
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
  if (grant === undefined) throw new Error("The server's answer to a log-in grants nothing.");
  return grant;
}
