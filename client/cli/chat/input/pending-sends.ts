// What this user has sent from here and the server has not answered: so that each line stands on the screen once.
import type { EntryArrived, SendAcked } from "../../../link/model/events.ts";
import { placeOfEntry, type ServerPlace, samePlace } from "../model/place.ts";

/** A message that was typed here. The link bounds how many there can be. */
export interface PendingSend {
  readonly place: ServerPlace;
  readonly text: string;
  /** It was shown as waiting for the connection. */
  readonly waiting: boolean;
}

interface Pending extends PendingSend {
  readonly answered: PromiseWithResolvers<void>;
  /** The entry that was taken for it before its ack came. */
  echo?: EntryArrived;
}

export type AckOutcome =
  /** Its line is on the screen. `mistaken`: an entry that looked like it and was not, to be shown after all. */
  | { readonly kind: "shown"; readonly send: PendingSend; readonly mistaken: EntryArrived | undefined }
  /** An earlier run of the program had queued it: nobody has seen it here. */
  | { readonly kind: "new" };

export class PendingSends {
  readonly #pending = new Map<bigint, Pending>();
  #allAnswered: PromiseWithResolvers<void> | undefined;

  /** Resolves when the message is acked, refused or held back, or when `stopWaiting` is called. */
  add(clientMessageId: bigint, send: PendingSend): Promise<void> {
    const answered = Promise.withResolvers<void>();
    this.#pending.set(clientMessageId, { ...send, answered });
    return answered.promise;
  }

  /** The connection is lost: answers will take their time. */
  stopWaiting(): void {
    for (const { answered } of this.#pending.values()) answered.resolve();
  }

  /** Resolves when none is unanswered. */
  answered(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    this.#allAnswered ??= Promise.withResolvers<void>();
    return this.#allAnswered.promise;
  }

  /** How many were typed here and are not answered. */
  get unanswered(): number {
    return this.#pending.size;
  }

  /** How many of them were shown as waiting. */
  get waiting(): number {
    return this.#pending.values().reduce((count, { waiting }) => count + (waiting ? 1 : 0), 0);
  }

  /**
   * Whether an own entry is the echo of a line that is on the screen already. An ack that was lost with its connection
   * leaves no better sign than place and text; should the later ack name another entry, `acked` says so.
   */
  isEcho(entry: EntryArrived): boolean {
    if (!entry.mine) return false;
    if (entry.clientMessageId !== undefined) return true;
    if (entry.content.kind !== "text") return false;
    const { text } = entry.content;
    const place = placeOfEntry(entry);
    for (const send of this.#pending.values()) {
      if (send.echo !== undefined || send.text !== text || !samePlace(send.place, place)) continue;
      send.echo = entry;
      return true;
    }
    return false;
  }

  acked({ clientMessageId, conversationId, seq }: SendAcked): AckOutcome {
    const send = this.#take(clientMessageId);
    if (send === undefined) return { kind: "new" };
    const { echo } = send;
    const right = echo === undefined || (echo.conversationId === conversationId && echo.seq === seq);
    return { kind: "shown", send, mistaken: right ? undefined : this.#stillMistaken(echo) };
  }

  /** It will not be answered any more: refused, dropped or held back. */
  forget(clientMessageId: bigint): PendingSend | undefined {
    return this.#take(clientMessageId);
  }

  #take(clientMessageId: bigint): Pending | undefined {
    const send = this.#pending.get(clientMessageId);
    this.#pending.delete(clientMessageId);
    send?.answered.resolve();
    if (this.#pending.size === 0) {
      this.#allAnswered?.resolve();
      this.#allAnswered = undefined;
    }
    return send;
  }

  /** Of several equal lines the echo may have been another one's. */
  #stillMistaken(echo: EntryArrived): EntryArrived | undefined {
    return this.isEcho(echo) ? undefined : echo;
  }
}
