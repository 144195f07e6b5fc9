// The sends of this node that wait until their entry is announced, by device and client message id. They have what the
// announcement needs besides the entry: its users, and the stream that receives the Ack in its position.
import type { EntryUsers } from "../encoding.ts";

export interface WaitingSend {
  readonly users: EntryUsers;
  /** Undefined for a unary call. */
  readonly stream: object | undefined;
  /** The send after this one with the same device and client message id. */
  next: WaitingSend | undefined;
}

export class WaitingSends {
  readonly #byDevice = new Map<number, Map<bigint, WaitingSend>>();

  /** Sends with the same id wait in the order of the calls, which must be that of the appends. */
  add(deviceId: number, clientMessageId: bigint, users: EntryUsers, stream: object | undefined): WaitingSend {
    const send: WaitingSend = { users, stream, next: undefined };
    let ofDevice = this.#byDevice.get(deviceId);
    if (ofDevice === undefined) {
      ofDevice = new Map();
      this.#byDevice.set(deviceId, ofDevice);
    }
    let last = ofDevice.get(clientMessageId);
    if (last === undefined) ofDevice.set(clientMessageId, send);
    else {
      while (last.next !== undefined) last = last.next;
      last.next = send;
    }
    return send;
  }

  /** Removes and returns the first send with this id: only one send with an id is stored. */
  take(deviceId: number, clientMessageId: bigint): WaitingSend | undefined {
    const ofDevice = this.#byDevice.get(deviceId);
    const first = ofDevice?.get(clientMessageId);
    if (first !== undefined) this.remove(deviceId, clientMessageId, first);
    return first;
  }

  /** Removes a send that stored no entry; does nothing if it was taken. */
  remove(deviceId: number, clientMessageId: bigint, send: WaitingSend): void {
    const ofDevice = this.#byDevice.get(deviceId);
    const first = ofDevice?.get(clientMessageId);
    if (ofDevice === undefined || first === undefined) return;
    if (first !== send) {
      let before = first;
      while (before.next !== undefined && before.next !== send) before = before.next;
      before.next = send.next;
      return;
    }
    if (send.next !== undefined) ofDevice.set(clientMessageId, send.next);
    else if (ofDevice.size > 1) ofDevice.delete(clientMessageId);
    else this.#byDevice.delete(deviceId);
  }
}
