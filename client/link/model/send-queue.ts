// The interface of queues for unsent messages, and a queue in memory.
import { randomInt } from "node:crypto";

/** The target of a message. */
export type SendTarget =
  | {
      readonly kind: "user";
      /** The other user's name, which must match exactly. */
      readonly username: string;
    }
  | {
      readonly kind: "conversation";
      /** The id of a direct conversation of the user. */
      readonly conversationId: string;
    }
  | { readonly kind: "broadcast" };

/** A message that the server has not acked. */
export interface UnsentMessage {
  /** Identifies the send, together with the device: the server stores repeated sends under this id once. */
  readonly clientMessageId: bigint;
  /** The target. */
  readonly target: SendTarget;
  /** The encoded Content, the same in every attempt. */
  readonly content: Uint8Array;
  /** When it was queued or last released, by the local clock. */
  readonly queuedTime: Date;
  /** It is held back until the program releases it. */
  readonly held: boolean;
}

/**
 * The unsent messages of one device. A queue MUST
 *  1. store a message before `add` returns, under an id that no process of this device has used before and that is
 *     higher than the earlier ids of this process;
 *  2. delete it only in `remove`;
 *  3. give each message of a process that has ended to exactly one running process.
 */
export interface SendQueue {
  /** Stores a message. `send` passes on the errors that it throws. */
  add(target: SendTarget, content: Uint8Array): UnsentMessage;
  /** Deletes a message that was stored, refused or dropped. Returns false if it is not in the queue. */
  remove(clientMessageId: bigint): boolean;
  /** Holds or releases a message. Returns false if another process has sent or dropped it. */
  setHeld(clientMessageId: bigint, held: boolean): boolean;
  /**
   * Gives the message another id, because the server has the present one for another message: this queue, or its whole
   * state folder, is a copy. The new id is far above the earlier ones, so that no other copy uses it. Returns undefined if
   * another process has sent or dropped the message.
   */
  renumber(clientMessageId: bigint): UnsentMessage | undefined;
  /** Holds all messages, because the server has other data than the one for which they were written. */
  holdAll(): void;
  /** Takes the messages of ended processes, now and whenever there are new ones, by rising id. */
  takeOrphans(taken: (messages: UnsentMessage[]) => void): Disposable;
}

/**
 * The distance to ids that no copy uses: random, because each copy chooses its own. Ids stay below 2^63, also after a
 * million of such steps.
 */
export function stepOverUsedIds(): bigint {
  return BigInt(randomInt(2 ** 32, 2 ** 42));
}

/**
 * A queue in memory. Its ids start at the current time, so that a program that keeps no state and restarts as the same
 * device does not reuse one. Processes of one device that run at the same time should share a queue on disk instead.
 */
export class MemorySendQueue implements SendQueue {
  readonly #unsent = new Map<bigint, UnsentMessage>();
  #lastId = (BigInt(Date.now()) << 20n) + BigInt(randomInt(2 ** 20));

  add(target: SendTarget, content: Uint8Array): UnsentMessage {
    this.#lastId += 1n;
    const message = { clientMessageId: this.#lastId, target, content, queuedTime: new Date(), held: false };
    this.#unsent.set(message.clientMessageId, message);
    return message;
  }

  remove(clientMessageId: bigint): boolean {
    return this.#unsent.delete(clientMessageId);
  }

  setHeld(clientMessageId: bigint, held: boolean): boolean {
    const message = this.#unsent.get(clientMessageId);
    if (message === undefined) return false;
    this.#unsent.set(clientMessageId, { ...message, held });
    return true;
  }

  renumber(clientMessageId: bigint): UnsentMessage | undefined {
    const message = this.#unsent.get(clientMessageId);
    if (message === undefined) return undefined;
    this.#lastId += stepOverUsedIds();
    const renumbered = { ...message, clientMessageId: this.#lastId };
    this.#unsent.delete(clientMessageId);
    this.#unsent.set(this.#lastId, renumbered);
    return renumbered;
  }

  holdAll(): void {
    for (const id of this.#unsent.keys()) this.setHeld(id, true);
  }

  /** Takes the unsent messages of an earlier link in this process. */
  takeOrphans(taken: (messages: UnsentMessage[]) => void): Disposable {
    if (this.#unsent.size > 0) taken([...this.#unsent.values()]);
    return { [Symbol.dispose]: () => undefined };
  }
}
