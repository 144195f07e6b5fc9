// The stored state of an installation, in one file that several processes can share.
import type { DatabaseSync } from "node:sqlite";
import type { CursorStore } from "../link/model/cursors.ts";
import type { UnsentMessage } from "../link/model/send-queue.ts";
import type { ContactStore } from "../peer/keys/contacts.ts";
import type { KeyStore } from "../peer/keys/keys.ts";
import { DiskContacts } from "./contacts.ts";
import { DiskCursors } from "./cursors.ts";
import { openDatabase } from "./database.ts";
import { DiskKeys } from "./keys.ts";
import { takeClientMessageId, takeIdBeyondCopies } from "./message-ids.ts";
import { PrivateLines } from "./private-lines.ts";
import { ProcessRegistration, type ProcessTimes } from "./processes.ts";
import { Profiles } from "./profiles.ts";
import { DiskSendQueue, listUnsent, removeUnsent, renumberUnsent, type StoredUnsent } from "./send-queue.ts";
import { Servers } from "./servers.ts";

export interface StateOptions {
  /** Called on an error in the background, such as a heartbeat that cannot be written. */
  readonly onProblem: (error: Error) => void;
  /** For tests. */
  readonly processTimes?: ProcessTimes;
}

export class State implements Disposable {
  readonly servers: Servers;
  readonly profiles: Profiles;
  readonly #db: DatabaseSync;
  readonly #options: StateOptions;
  #process: ProcessRegistration | undefined;

  /** @throws StateError if the folder cannot be used */
  constructor(folder: string, options: StateOptions) {
    this.#db = openDatabase(folder);
    this.#options = options;
    this.servers = new Servers(this.#db);
    this.profiles = new Profiles(this.#db);
  }

  /** Allocates an id for a send of this profile's device; it is never returned again. */
  nextClientMessageId(profileId: number): bigint {
    return takeClientMessageId(this.#db, profileId);
  }

  /** Like `nextClientMessageId`, for a state folder that has turned out to be a copy: see `SendQueue.renumber`. */
  clientMessageIdBeyondCopies(profileId: number): bigint {
    return takeIdBeyondCopies(this.#db, profileId);
  }

  cursors(profileId: number): CursorStore {
    return new DiskCursors(this.#db, profileId);
  }

  /** The queue of unsent messages, for a link. The first call registers this process as a possible owner of queues. */
  sendQueue(profileId: number): DiskSendQueue {
    this.#process ??= new ProcessRegistration(this.#db, this.#options.onProblem, this.#options.processTimes);
    return new DiskSendQueue(this.#db, profileId, this.#process);
  }

  /** The keys of this profile's device. */
  keys(profileId: number): KeyStore {
    return new DiskKeys(this.#db, profileId);
  }

  /** The stored keys of other users. */
  contacts(profileId: number): ContactStore {
    return new DiskContacts(this.#db, profileId);
  }

  /** The kept lines of private chats. */
  privateLines(profileId: number): PrivateLines {
    return new PrivateLines(this.#db, profileId);
  }

  /** All unsent messages, including those of running processes, by rising id. */
  unsent(profileId: number): StoredUnsent[] {
    return listUnsent(this.#db, profileId);
  }

  /** As `SendQueue.renumber`. */
  renumberUnsent(profileId: number, clientMessageId: bigint): UnsentMessage | undefined {
    return renumberUnsent(this.#db, profileId, clientMessageId);
  }

  /** Deletes an unsent message. Returns false if it is not in the queue. */
  removeUnsent(profileId: number, clientMessageId: bigint): boolean {
    return removeUnsent(this.#db, profileId, clientMessageId);
  }

  [Symbol.dispose](): void {
    this.#process?.[Symbol.dispose]();
    this.#db.close();
  }
}
