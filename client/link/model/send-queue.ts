// Where messages wait until the server has stored them: the interface, and one that forgets with the process.
import { randomInt } from "node:crypto";

/** Where a message goes. */
export type SendTarget =
  | {
      readonly kind: "user";
      /** The other user's name, which has to match exactly. */
      readonly username: string;
    }
  | {
      readonly kind: "conversation";
      /** A direct conversation that the user is in. */
      readonly conversationId: string;
    }
  | { readonly kind: "broadcast" };

/** A message that the server has not acked. */
export interface UnsentMessage {
  /** Names the send for ever, together with the device: sent again under this id it is stored once. */
  readonly clientMessageId: bigint;
  /** Where to. */
  readonly target: SendTarget;
  /** The encoded Content. It stays the same in every attempt. */
  readonly content: Uint8Array;
  /** When it was queued, or released last, by the clock here. */
  readonly queuedTime: Date;
  /** It is not sent until a person releases it. */
  readonly held: boolean;
}

/**
 * The unsent messages of one device. A queue MUST
 *  1. have written a message down before `add` returns, under an id that no process of this device used before, and
 *     rising within this process;
 *  2. forget it only in `remove`;
 *  3. hand each message that an ended process left behind to exactly one living process.
 */
export interface SendQueue {
  /** Keeps a message. What it throws is thrown by `send`. */
  add(target: SendTarget, content: Uint8Array): UnsentMessage;
  /** The message was stored or refused, or a person dropped it. False if it was not there any more. */
  remove(clientMessageId: bigint): boolean;
  /** False if it was not there any more: another process has sent or dropped it. */
  setHeld(clientMessageId: bigint, held: boolean): boolean;
  /** No message is to be sent without a person: the server is not the one that they were written for. */
  holdAll(): void;
  /** Takes what ended processes left behind, now and whenever some appears, by rising id. */
  takeLeftBehind(taken: (messages: UnsentMessage[]) => void): Disposable;
}

/**
 * Ids start at the time, so that a program which keeps no state and comes back as the same device does not repeat one.
 * Two such processes of one device at the same time should share a queue on disk instead.
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

  holdAll(): void {
    for (const id of this.#unsent.keys()) this.setHeld(id, true);
  }

  /** Gives what an earlier link in this process left behind. */
  takeLeftBehind(taken: (messages: UnsentMessage[]) => void): Disposable {
    if (this.#unsent.size > 0) taken([...this.#unsent.values()]);
    return { [Symbol.dispose]: () => undefined };
  }
}
