// What the parts of private chats share: who this device is, what it remembers, and whom it tells.
import type { Opening } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { PrivateCalls } from "../../link/server/private-chat-calls.ts";
import {
  type ContactStore,
  checkKeys,
  type KeyCheck,
  type KeyProblem,
  type PeerKeys,
} from "../keys/contacts.ts";
import type { KeyStore } from "../keys/keys.ts";
import { type OwnNames, type Registered, register } from "../keys/registration.ts";
import type { PeerServer } from "../path/peer-server.ts";
import type { PrivateEvent } from "./events.ts";

/** A person has to look at the other's keys before anything is said. */
export class KeyProblemError extends Error {
  override name = "KeyProblemError";
  /** Whose keys they are. */
  readonly username: string;
  /** What is not as expected of them. */
  readonly problem: KeyProblem;

  constructor(username: string, problem: KeyProblem) {
    const what =
      problem === "changed"
        ? `The identity key of ${username} is not the one that you verified`
        : `The device of ${username} is not signed by the identity key that you verified`;
    super(`${what}. Nothing was said.`);
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
  /** Aborted when everything ends. */
  readonly closing: AbortSignal;
  readonly emit: Emit;
  /** As in PrivateChatsOptions. */
  readonly allowHalfOpen: boolean;
}

/** Tells the reader. Resolves when there is room for more; `onTaken` is called once the reader has dealt with it. */
export type Emit = (event: PrivateEvent, onTaken?: () => void) => Promise<void>;

/** Users whose keys came up, and may be accepted. */
const MOST_PRESENTED = 256;

export class PrivateChatContext {
  readonly parts: ContextParts;
  /** The keys that came up last, by user name: what a person may accept. */
  readonly presented = new Map<string, PeerKeys>();
  #registered: Promise<Registered> | undefined;

  constructor(parts: ContextParts) {
    this.parts = parts;
  }

  /** Registers this device's certificate, once. @throws RpcError, ConnectError */
  async register(): Promise<Registered> {
    const { calls, keys, names } = this.parts;
    this.#registered ??= register(calls, keys, names);
    const registered = this.#registered;
    try {
      return await registered;
    } catch (error) {
      if (this.#registered === registered) this.#registered = undefined;
      throw error;
    }
  }

  /** Registers it again, and keeps what came of that. @throws RpcError, ConnectError */
  registerAnew(): Promise<Registered> {
    this.#registered = undefined;
    return this.register();
  }

  /** What the keys mean; they came up, so a person may accept them. */
  checkKeys(peer: PeerKeys): KeyCheck {
    this.presented.delete(peer.username);
    const [oldest] = this.presented.keys();
    if (this.presented.size >= MOST_PRESENTED && oldest !== undefined) this.presented.delete(oldest);
    this.presented.set(peer.username, peer);
    const { contacts } = this.parts;
    const contact = contacts.get(peer.username);
    const keyCheck = checkKeys(contact, peer);
    const stoppedDevice = keyCheck.stops && keyCheck.problem === "unsigned" ? peer.fingerprint : undefined;
    // On disk, too: another process may be the one in which a person accepts it.
    if (contact !== undefined && stoppedDevice !== undefined && contact.stoppedDevice !== stoppedDevice) {
      contacts.save({ ...contact, stoppedDevice });
    }
    return keyCheck;
  }

  /** @throws KeyProblemError where a person has to accept the keys first */
  admit(peer: PeerKeys): KeyCheck {
    const keyCheck = this.checkKeys(peer);
    if (keyCheck.stops && keyCheck.problem !== undefined) {
      throw new KeyProblemError(peer.username, keyCheck.problem);
    }
    return keyCheck;
  }

  opening(introductionId: string): Opening {
    const { client } = this.parts;
    return { introductionId, clientName: client?.name ?? "", clientVersion: client?.version ?? "" };
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** A duration of the wire, ms. */
export function millis(duration: { seconds: bigint; nanos: number } | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}
