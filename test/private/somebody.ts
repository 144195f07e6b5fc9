// A user at a device, with private chats: a link, a peer server, and all that happened, to be waited for.

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

/** What stays when a program is started anew. */
export interface Installation {
  readonly keys: KeyStore;
  readonly contacts: ContactStore;
  device?: DeviceKey;
}

export function newInstallation(): Installation {
  return { keys: new MemoryKeys(), contacts: new MemoryContacts() };
}

export interface SomebodyOptions {
  readonly installation?: Installation;
  /** Where the peer server listens; null: nowhere. */
  readonly host?: string | null;
  readonly deviceName?: string;
  readonly allowHalfOpen?: boolean;
}

type Login = Pick<PrivateChatsOptions, "endpoint" | "token" | "names">;
type Options = SomebodyOptions & { readonly installation: Installation };

export class Somebody implements AsyncDisposable {
  readonly name: string;
  readonly chats: PrivateChats;
  readonly account: Account;
  readonly link: Link;
  readonly endpoint: Endpoint;
  readonly events: PrivateEvent[] = [];
  readonly #login: Login;
  readonly #options: Options;
  readonly #waiting = new Set<() => void>();
  #took = 0;

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
      beforeStream: async () => {
        await chats.register();
      },
      backoff: { baseMs: 20, capMs: 100 },
    });
  }

  /** Resolves when the user is online and takes private chats. */
  static async sitDown(port: number, name: string, options: SomebodyOptions = {}): Promise<Somebody> {
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
    return Somebody.#start({ endpoint, token, names }, { ...options, installation });
  }

  /** Another program, with the same log-in. */
  again(): Promise<Somebody> {
    const { address, trust } = this.endpoint;
    return Somebody.#start({ ...this.#login, endpoint: new Endpoint({ address, trust }) }, this.#options);
  }

  static async #start(login: Login, options: Options): Promise<Somebody> {
    const { installation, host = "127.0.0.1", allowHalfOpen = false } = options;
    const { keys, contacts } = installation;
    const listen = host === null ? undefined : { host, port: 0 };
    const chats = await PrivateChats.open({ ...login, keys, contacts, listen, allowHalfOpen });
    const somebody = new Somebody(login, options, chats);
    const live = Promise.withResolvers<void>();
    void somebody.#followLink(live.resolve);
    void somebody.#followChats();
    await live.promise;
    return somebody;
  }

  /** The next event of that kind, from where the last one was taken. */
  async next<T extends PrivateEvent["type"]>(type: T): Promise<EventOf<T>> {
    for (;;) {
      for (let at = this.#took; at < this.events.length; at++) {
        const event = this.events[at];
        if (event?.type !== type) continue;
        this.#took = at + 1;
        return event as EventOf<T>;
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves when all events so far are as wanted. */
  async until(isDone: (events: readonly PrivateEvent[]) => boolean): Promise<void> {
    while (!isDone(this.events)) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** What the other said in private, as told so far. */
  heard(username: string): string[] {
    return this.events.flatMap((event) =>
      event.type === "line" && !event.mine && event.username === username
        ? [event.content.kind === "text" ? event.content.text : "?"]
        : [],
    );
  }

  /** Resolves when that many lines of the other have been heard. */
  async hears(username: string, count: number): Promise<string[]> {
    await this.until(() => this.heard(username).length >= count);
    return this.heard(username);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chats[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
    await this.endpoint[Symbol.asyncDispose]();
  }

  async #followLink(live: () => void): Promise<void> {
    for await (const event of this.link.events) {
      this.chats.handleLinkEvent(event);
      if (event.type === "state" && event.state.phase === "live") live();
    }
  }

  async #followChats(): Promise<void> {
    for await (const event of this.chats.events) {
      this.events.push(event);
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    }
  }
}

/** From the question to an open chat at both ends. */
export async function chatting(
  asks: Somebody,
  answers: Somebody,
  { direct }: { direct: boolean },
): Promise<void> {
  await asks.chats.start(answers.name, { direct });
  await answers.next("requested");
  await answers.chats.answer(asks.name, "accept", { direct });
  await Promise.all([asks.next("opened"), answers.next("opened")]);
}
