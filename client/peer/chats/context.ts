// What the parts of private chats share: the session, the stores, the peer server, and the events.
import type { Opening } from "../../../gen/parley/peer/v1/peer_service.ts";
import { waitFor } from "../../../time/wait.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import {
  type ContactStore,
  checkKeys,
  holdsLines,
  type KeyCheck,
  type KeyPolicy,
  type KeyProblem,
  type PeerKeys,
} from "../keys/contacts.ts";
import type { KeyStore } from "../keys/keys.ts";
import {
  isForOtherServer,
  type OwnNames,
  type Registered,
  register,
  signAnew,
} from "../keys/registration.ts";
import type { PeerServer } from "../path/peer-server.ts";
import type { PrivateEvent } from "./events.ts";

/** A user presented other keys than expected. A person has to accept them before a chat can open. */
export class KeyProblemError extends Error {
  override name = "KeyProblemError";
  /** The user with these keys. */
  readonly username: string;
  /** What is wrong with the keys. */
  readonly problem: KeyProblem;

  constructor(username: string, problem: KeyProblem, standing: KeyCheck["standing"] = "verified") {
    const which = standing === "verified" ? "that you verified" : "that this device knows";
    const whats: Record<KeyProblem, string> = {
      changed: `The identity key of ${username} is not the one ${which}`,
      unsigned: `The device of ${username} is not signed by the identity key ${which}`,
      unknown: `This device does not know the identity key of ${username}`,
      unverified: `The identity key of ${username} is not verified`,
    };
    super(`${whats[problem]}. Nothing was sent.`);
    this.username = username;
    this.problem = problem;
  }
}

export interface ContextParts {
  readonly calls: PrivateCalls;
  readonly names: OwnNames;
  readonly keys: KeyStore;
  readonly contacts: ContactStore;
  readonly client: { readonly name: string; readonly version: string } | undefined;
  readonly server: PeerServer;
  /** Aborted when all private chats end. */
  readonly closing: AbortSignal;
  readonly emit: Emit;
  /** As in PrivateChatsOptions. */
  readonly allowHalfOpen: boolean;
  /** As in PrivateChatsOptions. */
  readonly policy?: KeyPolicy | undefined;
}

/**
 * Adds an event for the reader. Resolves when there is room for more; `onTaken` is called when the reader has taken it.
 */
export type Emit = (event: PrivateEvent, onTaken?: () => void) => Promise<void>;

/** How long a stream may take to name a new id of the server, ms. */
const NEW_ID_MS = 10_000;
/** The most users whose presented keys are remembered. */
const MAX_PRESENTED = 256;

export class PrivateChatContext {
  readonly parts: ContextParts;
  /** The keys that each user presented last, by user name. Only these can be accepted. */
  readonly presented = new Map<string, PeerKeys>();
  #names: OwnNames;
  /** The former id of the server, if it has a new one and the user's other devices were not signed for that yet. */
  #formerServerId: string | undefined;
  /** Resolved when the device is registered under a new id of the server. */
  #renamed = Promise.withResolvers<void>();
  #registered: Promise<Registered> | undefined;

  constructor(parts: ContextParts) {
    this.parts = parts;
    this.#names = parts.names;
  }

  /** The user and the device, and the id that the server named last. */
  get names(): OwnNames {
    return this.#names;
  }

  /**
   * Registers this device's certificate, once. If the server has a new id, as after a restore, waits until a stream has
   * named it.
   * @throws RpcError, ConnectError
   */
  async register(): Promise<Registered> {
    const before = this.#names;
    try {
      return await this.#registerOnce();
    } catch (error) {
      if (!isForOtherServer(error)) throw error;
      const { closing } = this.parts;
      const isRenamed = this.#names !== before && this.#formerServerId === undefined;
      if (!isRenamed) await waitFor(this.#renamed.promise, { ms: NEW_ID_MS, signal: closing });
      if (this.#names === before) throw error;
      return this.#registerOnce();
    }
  }

  async #registerOnce(): Promise<Registered> {
    const { calls, keys } = this.parts;
    this.#registered ??= register(calls, keys, this.#names);
    const registered = this.#registered;
    try {
      return await registered;
    } catch (error) {
      if (this.#registered === registered) this.#registered = undefined;
      throw error;
    }
  }

  /** Registers the certificate again, even if it was registered before. @throws RpcError, ConnectError */
  registerAgain(): Promise<Registered> {
    this.#registered = undefined;
    return this.register();
  }

  /**
   * Registers the certificate before a stream opens. The data of a server that was restored has a new id. The devices are
   * then signed for that id, since each connection authenticates the server, and nothing else has changed.
   * @param serverId the id that the server named last
   * @throws RpcError, ConnectError
   */
  async beforeStream(serverId: string | undefined): Promise<void> {
    if (serverId !== undefined && serverId !== this.#names.serverId) {
      // If the data was restored twice, the devices may be signed for the first id only.
      this.#formerServerId ??= this.#names.serverId;
      this.#names = { ...this.#names, serverId };
    }
    try {
      this.#registered = undefined;
      const registered = await this.#registerOnce();
      if (this.#formerServerId === undefined) return;
      await signAnew(this.parts.calls, registered, this.#names, this.#formerServerId);
      this.#formerServerId = undefined;
      this.#renamed.resolve();
      this.#renamed = Promise.withResolvers();
    } catch (error) {
      // The stream that opens now names the new id, and then this function is called again.
      if (!isForOtherServer(error)) throw error;
    }
  }

  /** Checks keys that a user presented against the stored ones, and remembers them so that they can be accepted. */
  checkKeys(peer: PeerKeys): KeyCheck {
    this.presented.delete(peer.username);
    const [oldest] = this.presented.keys();
    if (this.presented.size >= MAX_PRESENTED && oldest !== undefined) this.presented.delete(oldest);
    this.presented.set(peer.username, peer);
    const { contacts, policy } = this.parts;
    const contact = contacts.get(peer.username);
    const check = checkKeys(contact, peer, policy);
    const stoppedDevice = check.stops && check.problem === "unsigned" ? peer.fingerprint : undefined;
    // It is also stored, because a person may accept the device in another process.
    if (contact !== undefined && stoppedDevice !== undefined && contact.stoppedDevice !== stoppedDevice) {
      contacts.save({ ...contact, stoppedDevice });
    }
    return check;
  }

  /** Whether own lines to this peer wait until a person has accepted the keys. */
  holdsLines(peer: PeerKeys): boolean {
    const { contacts, policy } = this.parts;
    const contact = contacts.get(peer.username);
    return holdsLines(contact, peer, checkKeys(contact, peer, policy));
  }

  /** Checks the keys as `checkKeys` does. @throws KeyProblemError if a person has to accept the keys first */
  admit(peer: PeerKeys): KeyCheck {
    const check = this.checkKeys(peer);
    if (check.stops && check.problem !== undefined) {
      throw new KeyProblemError(peer.username, check.problem, check.standing);
    }
    return check;
  }

  opening(introductionId: string): Opening {
    const { client } = this.parts;
    return { introductionId, clientName: client?.name ?? "", clientVersion: client?.version ?? "" };
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Converts a google.protobuf.Duration to ms; undefined is 0. */
export function millis(duration: { seconds: bigint; nanos: number } | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}
