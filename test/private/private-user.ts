// A logged-in user with private chats for the tests: a link, a peer server, and the events so far.
import { type Link, openLink } from "../../client/link/link.ts";
import { Account, logIn } from "../../client/link/server/account.ts";
import { Endpoint } from "../../client/link/server/endpoint.ts";
import type { PrivateEvent } from "../../client/peer/chats/events.ts";
import { type ContactStore, MemoryContacts } from "../../client/peer/keys/contacts.ts";
import { type KeyStore, MemoryKeys } from "../../client/peer/keys/keys.ts";
import { PrivateChats } from "../../client/peer/private-chats.ts";
import type { PrivateChatsOptions } from "../../client/peer/private-chats-options.ts";
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import { passwordOf } from "../support/server.ts";

export type EventOf<T extends PrivateEvent["type"]> = Extract<PrivateEvent, { type: T }>;

/** What a device keeps over a restart of its program. */
export interface Installation {
  readonly keys: KeyStore;
  readonly contacts: ContactStore;
  device?: DeviceKey;
}

export function newInstallation(): Installation {
  return { keys: new MemoryKeys(), contacts: new MemoryContacts() };
}

export interface PrivateUserOptions {
  readonly installation?: Installation;
  /** Where the peer server listens; null: it does not. */
  readonly host?: string | null;
  readonly deviceName?: string;
  readonly allowHalfOpen?: boolean;
}

type Login = Pick<PrivateChatsOptions, "endpoint" | "token" | "names">;
type Options = PrivateUserOptions & { readonly installation: Installation };

export class PrivateUser implements AsyncDisposable {
  readonly name: string;
  readonly chats: PrivateChats;
  readonly account: Account;
  readonly link: Link;
  readonly endpoint: Endpoint;
  readonly events: PrivateEvent[] = [];
  readonly #login: Login;
  readonly #options: Options;
  readonly #waiters = new Set<() => void>();
  /** How often the link has been live. */
  #livesSoFar = 0;
  #onLive: PromiseWithResolvers<void> = Promise.withResolvers();
  #next = 0;

  private constructor(login: Login, options: Options, chats: PrivateChats) {
    const { endpoint, token, names } = login;
    this.#login = login;
    this.#options = options;
    this.name = names.username;
    this.endpoint = endpoint;
    this.chats = chats;
    this.account = new Account(endpoint, token);
    this.link = openLink({
      endpoint,
      token,
      receiveOnly: true,
      features: [Feature.PRESENCE, Feature.INTRODUCTIONS],
      processId: chats.processId,
      serverId: names.serverId,
      beforeStream: (serverId) => chats.beforeStream(serverId),
      backoff: { baseMs: 20, capMs: 100 },
    });
  }

  /** Logs in; resolves when the user is online and accepts requests for private chats. */
  static async logIn(port: number, name: string, options: PrivateUserOptions = {}): Promise<PrivateUser> {
    const { installation = newInstallation(), deviceName = "" } = options;
    const endpoint = new Endpoint({ address: `127.0.0.1:${port}`, trust: { kind: "plaintext" } });
    const { token, user, device, serverId } = await logIn(endpoint, {
      username: name,
      password: passwordOf(name),
      device: installation.device,
      client: { name: "test", version: "1", deviceName },
    });
    if (user === undefined || device === undefined) throw new Error("no grant");
    if (device.deviceSecret !== "") installation.device = device;
    const names = { serverId, userId: user.userId, username: name, deviceId: device.deviceId };
    return PrivateUser.#start({ endpoint, token, names }, { ...options, installation });
  }

  /** Starts another program with the same session. */
  startAnotherProgram(): Promise<PrivateUser> {
    const { address, trust } = this.endpoint;
    return PrivateUser.#start({ ...this.#login, endpoint: new Endpoint({ address, trust }) }, this.#options);
  }

  static async #start(login: Login, options: Options): Promise<PrivateUser> {
    const { installation, host = "127.0.0.1", allowHalfOpen = false } = options;
    const { keys, contacts } = installation;
    const listen = host === null ? undefined : { host, port: 0 };
    const chats = await PrivateChats.open({ ...login, keys, contacts, listen, allowHalfOpen });
    const user = new PrivateUser(login, options, chats);
    void user.#followLink();
    void user.#followChats();
    await user.#onLive.promise;
    return user;
  }

  /** Resolves when the link has been live at least twice: it is live again after the loss of its first stream. */
  async liveAgain(): Promise<void> {
    while (this.#livesSoFar < 2) await this.#onLive.promise;
  }

  /** The next event of that type, after the one that was returned last. */
  async next<T extends PrivateEvent["type"]>(type: T): Promise<EventOf<T>> {
    for (;;) {
      for (let at = this.#next; at < this.events.length; at++) {
        const event = this.events[at];
        if (event?.type !== type) continue;
        this.#next = at + 1;
        return event as EventOf<T>;
      }
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  /** Resolves when the events so far satisfy the condition. */
  async until(isDone: (events: readonly PrivateEvent[]) => boolean): Promise<void> {
    while (!isDone(this.events)) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  /** The chats that have opened so far. */
  get openings(): EventOf<"opened">[] {
    return this.events.filter((event) => event.type === "opened");
  }

  /** The lines of the other user so far. */
  receivedFrom(username: string): string[] {
    return this.events.flatMap((event) =>
      event.type === "line" && !event.mine && event.username === username
        ? [event.content.kind === "text" ? event.content.text : "?"]
        : [],
    );
  }

  /** Resolves when that many lines of the other user have arrived. */
  async receives(username: string, count: number): Promise<string[]> {
    await this.until(() => this.receivedFrom(username).length >= count);
    return this.receivedFrom(username);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chats[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
    await this.endpoint[Symbol.asyncDispose]();
  }

  async #followLink(): Promise<void> {
    for await (const event of this.link.events) {
      this.chats.handleLinkEvent(event);
      if (event.type !== "state" || event.state.phase !== "live") continue;
      this.#livesSoFar += 1;
      this.#onLive.resolve();
      this.#onLive = Promise.withResolvers();
    }
    if (this.link.state.phase === "ended" && this.link.state.ending.kind !== "closed")
      this.#onLive.reject(new Error(`The link ended: ${JSON.stringify(this.link.state.ending)}`));
  }

  async #followChats(): Promise<void> {
    for await (const event of this.chats.events) {
      this.events.push(event);
      for (const notify of this.#waiters) notify();
      this.#waiters.clear();
    }
  }
}

/** Opens a chat: the first user requests it and the second one accepts. */
export async function openChat(
  requester: PrivateUser,
  accepter: PrivateUser,
  { direct }: { direct: boolean },
): Promise<void> {
  await requester.chats.start(accepter.name, { direct });
  await accepter.next("requested");
  await accepter.chats.answer(requester.name, "accept", { direct });
  await Promise.all([requester.next("opened"), accepter.next("opened")]);
}
