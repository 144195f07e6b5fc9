// Messages sent in this run that the server has not answered yet. They show which arriving entries are on the screen
// already.
import type { EntryArrived, SendAcked } from "../../../link/model/events.ts";
import { placeOfEntry, type ServerPlace, samePlace } from "../model/place.ts";

/** A message that was typed in this run. The link bounds how many can be pending. */
export interface PendingSend {
  readonly place: ServerPlace;
  readonly text: string;
  /** It was shown as waiting. */
  readonly waiting: boolean;
}

interface Pending extends PendingSend {
  waiting: boolean;
  readonly answered: PromiseWithResolvers<void>;
  /** The entry that was taken for its echo before its ack arrived. */
  echo?: EntryArrived;
}

export type AckOutcome =
  /**
   * The message is on the screen. `mistaken`: an entry that was taken for its echo and is not, so it has to be shown.
   */
  | { readonly kind: "shown"; readonly send: PendingSend; readonly mistaken: EntryArrived | undefined }
  /** The message was queued by an earlier run of the program, and is not on the screen. */
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

  /** The message is shown as waiting now. */
  setWaiting(clientMessageId: bigint): void {
    const send = this.#pending.get(clientMessageId);
    if (send !== undefined) send.waiting = true;
  }

  /** Resolves the promises of all pending sends; called when the connection is lost. */
  stopWaiting(): void {
    for (const { answered } of this.#pending.values()) answered.resolve();
  }

  /** Resolves when no send is pending. */
  answered(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    this.#allAnswered ??= Promise.withResolvers<void>();
    return this.#allAnswered.promise;
  }

  /** How many sends are pending. */
  get unanswered(): number {
    return this.#pending.size;
  }

  /** How many of them were shown as waiting. */
  get waiting(): number {
    return this.#pending.values().reduce((count, { waiting }) => count + (waiting ? 1 : 0), 0);
  }

  /**
   * Whether an entry is the echo of a line that is on the screen already. If the ack was lost with its connection,
   * place and text decide; if the later ack names another entry, `acked` returns this one as mistaken.
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
    const isRight = echo === undefined || (echo.conversationId === conversationId && echo.seq === seq);
    return { kind: "shown", send, mistaken: isRight ? undefined : this.#stillMistaken(echo) };
  }

  /** Removes a send that was refused, dropped or held back. */
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

  /** The entry, unless it is the echo of another pending message that is equal. */
  #stillMistaken(echo: EntryArrived): EntryArrived | undefined {
    return this.isEcho(echo) ? undefined : echo;
  }
}
