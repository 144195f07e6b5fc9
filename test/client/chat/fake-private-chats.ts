// Fake private chats: they record what the chat asks for, and the test decides what happens.

import { status } from "@grpc/grpc-js";
import type { PrivateLink } from "../../../client/cli/chat/model/private-link.ts";
import type { PrivateSettings } from "../../../client/cli/private/settings.ts";
import type { OpenChatInfo, OpenElsewhere } from "../../../client/peer/chats/chat-locations.ts";
import type { PrivateEvent } from "../../../client/peer/chats/events.ts";
import { NotSentError } from "../../../client/peer/conversation/line-rules.ts";
import { type KeyCheck, MemoryContacts, type PeerKeys } from "../../../client/peer/keys/contacts.ts";
import { RpcError } from "../../../rpc/status/status.ts";

export const askingSettings: PrivateSettings = { answer: "ask", path: "auto", lines: undefined };

export const newKeys: KeyCheck = { standing: "new", problem: undefined, stops: false };

export function peerKeys(username: string): PeerKeys {
  return {
    userId: `id-${username}`,
    username,
    identityKey: Buffer.alloc(32, username),
    deviceId: `d-${username}`,
    deviceName: "laptop",
    fingerprint: `SHA256:${username}`,
    signed: true,
  };
}

export class FakePrivateChats implements PrivateLink {
  readonly events: AsyncIterable<PrivateEvent> = { [Symbol.asyncIterator]: () => ({ next: () => forever }) };
  readonly contacts = new MemoryContacts();
  readonly names = { serverId: "server", userId: "id-me", username: "me", deviceId: "d-me" };
  /** The calls, such as "start yoda direct". */
  readonly done: string[] = [];
  readonly said: { to: string; text: string }[] = [];
  /** Keys of open chats that differ from peerKeys, by user name. */
  readonly peers = new Map<string, PeerKeys>();
  #open: readonly Pick<OpenChatInfo, "username" | "path">[] = [];
  outgoingRequests: string[] = [];
  incomingRequests: { username: string; direct: boolean }[] = [];
  pendingPeers: string[] = [];
  /** Where a chat is open elsewhere, by user name. */
  readonly others = new Map<string, OpenElsewhere>();
  /** The promise that `whenWritable` returns. */
  hasRoom: Promise<void> = Promise.resolve();
  /** The error of the next call. */
  refusal: Error | undefined;
  /** Identity keys on the server, by user name. */
  readonly identities = new Map<string, Uint8Array>();

  readonly calls: PrivateLink["calls"] = {
    getIdentity: (username) => {
      const key = this.identities.get(username);
      if (key === undefined) {
        const message = "That user has no identity key yet.";
        return Promise.reject(
          new RpcError({ code: status.NOT_FOUND, reason: "IDENTITY_NOT_FOUND", message }),
        );
      }
      const user = { userId: `id-${username}`, username };
      return Promise.resolve({ user, key: Buffer.from(key), createTime: undefined });
    },
  };

  get openChats(): readonly OpenChatInfo[] {
    return this.#open.map((chat) => ({
      ...chat,
      peer: this.peers.get(chat.username) ?? peerKeys(chat.username),
    }));
  }

  set openChats(open: readonly Pick<OpenChatInfo, "username" | "path">[]) {
    this.#open = open;
  }

  register(): ReturnType<PrivateLink["register"]> {
    return Promise.resolve({
      keys: { deviceId: "d-me", device: { key: "", cert: "" }, identity: undefined },
      fingerprint: "SHA256:me",
      identityKey: Buffer.alloc(32, "me"),
      signed: true,
      holdsIdentity: true,
    });
  }

  handleLinkEvent(): void {}

  start(username: string, { direct }: { direct: boolean }): Promise<void> {
    return this.#do(`start ${username} ${direct ? "direct" : "relay"}`);
  }

  answer(
    username: string,
    answer: string,
    { direct = false, always = false }: { direct?: boolean; always?: boolean } = {},
  ): Promise<void> {
    const how = answer === "accept" ? (direct ? " direct" : " relay") : "";
    this.incomingRequests = this.incomingRequests.filter((one) => one.username !== username);
    if (always && this.refusal === undefined) {
      const { userId, identityKey } = peerKeys(username);
      this.contacts.save({
        userId,
        username,
        identityKey,
        since: new Date(),
        verified: false,
        acceptedDevices: [],
        always: direct ? "direct" : "relay",
      });
    }
    return this.#do(`${answer} ${username}${how}${always ? " always" : ""}`);
  }

  send(to: string, text: string): "sent" | "queued" {
    if (this.outgoingRequests.includes(to) || this.pendingPeers.includes(to)) return "queued";
    if (!this.openChats.some(({ username }) => username === to)) {
      throw new NotSentError(`No private chat with ${to} is open.`);
    }
    this.said.push({ to, text });
    return "sent";
  }

  whenWritable(): Promise<void> {
    return this.hasRoom;
  }

  markRead(username: string): void {
    this.done.push(`read ${username}`);
  }

  setTyping(username: string, typing: boolean): void {
    this.done.push(`${typing ? "types to" : "ceases to type to"} ${username}`);
  }

  stop(username: string): Promise<void> {
    return this.#do(`stop ${username}`);
  }

  findOpenElsewhere(username: string): Promise<OpenElsewhere | undefined> {
    return Promise.resolve(this.others.get(username));
  }

  recheckKeys(username: string): undefined {
    this.done.push(`recheck ${username}`);
  }

  acceptKeys(username: string): undefined {
    this.done.push(`accept keys of ${username}`);
  }

  #do(what: string): Promise<void> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    this.done.push(what);
    return Promise.resolve();
  }
}

const forever = new Promise<never>(() => undefined);
