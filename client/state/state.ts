// Everything that an installation remembers, in one file that any number of processes share.
import type { DatabaseSync } from "node:sqlite";
import type { CursorStore } from "../link/model/cursors.ts";
import type { ContactStore } from "../peer/keys/contacts.ts";
import type { KeyStore } from "../peer/keys/keys.ts";
import { DiskContacts } from "./contacts.ts";
import { DiskCursors } from "./cursors.ts";
import { openDatabase } from "./database.ts";
import { DiskKeys } from "./keys.ts";
import { takeClientMessageId } from "./message-ids.ts";
import { PrivateLines } from "./private-lines.ts";
import { LivingProcess, type ProcessTimes } from "./processes.ts";
import { Profiles } from "./profiles.ts";
import { DiskSendQueue, listUnsent, removeUnsent, type StoredUnsent } from "./send-queue.ts";

export interface StateOptions {
  /** Hears of trouble in the background (a heartbeat that could not be written). */
  readonly onProblem: (error: Error) => void;
  /** For tests. */
  readonly processTimes?: ProcessTimes;
}

export class State implements Disposable {
  readonly profiles: Profiles;
  readonly #db: DatabaseSync;
  readonly #options: StateOptions;
  #process: LivingProcess | undefined;

  /** @throws StateError where the folder cannot be used. */
  constructor(folder: string, options: StateOptions) {
    this.#db = openDatabase(folder);
    this.#options = options;
    this.profiles = new Profiles(this.#db);
  }

  /** The next number for a send of this profile's device; no process ever gets it again. */
  nextClientMessageId(profileId: number): bigint {
    return takeClientMessageId(this.#db, profileId);
  }

  cursors(profileId: number): CursorStore {
    return new DiskCursors(this.#db, profileId);
  }

  /** The queue of unsent messages, for a link. From here on this process counts among those that may own queues. */
  sendQueue(profileId: number): DiskSendQueue {
    this.#process ??= new LivingProcess(this.#db, this.#options.onProblem, this.#options.processTimes);
    return new DiskSendQueue(this.#db, profileId, this.#process);
  }

  /** The keys of this profile's device. */
  keys(profileId: number): KeyStore {
    return new DiskKeys(this.#db, profileId);
  }

  /** What is remembered of other users' keys. */
  contacts(profileId: number): ContactStore {
    return new DiskContacts(this.#db, profileId);
  }

  /** What is kept of private chats. */
  privateLines(profileId: number): PrivateLines {
    return new PrivateLines(this.#db, profileId);
  }

  /** What is unsent, by rising id, to look at: those of processes that are running included. */
  unsent(profileId: number): StoredUnsent[] {
    return listUnsent(this.#db, profileId);
  }

  /** Forgets an unsent message, after an ack, a refusal or at a person's wish; false if it was not there any more. */
  removeUnsent(profileId: number, clientMessageId: bigint): boolean {
    return removeUnsent(this.#db, profileId, clientMessageId);
  }

  [Symbol.dispose](): void {
    this.#process?.[Symbol.dispose]();
    this.#db.close();
  }
}
