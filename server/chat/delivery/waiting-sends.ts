// The sends of this node that wait until their entry is announced, by device and client message id. They have what the
// announcement needs besides the entry: its users, and the stream that receives the Ack in its position.
import type { UserRow } from "../../store/store.ts";
import type { EntryUsers } from "../encoding.ts";

export interface WaitingSend extends EntryUsers {
  /** Undefined for a unary call. */
  readonly stream: object | undefined;
  /** The send after this one with the same device and client message id. */
  next: WaitingSend | undefined;
}

/** How many devices without a waiting send may keep their map, so that their next send needs no new one. */
const MOST_IDLE_DEVICES = 10_000;

export class WaitingSends {
  readonly #byDevice = new Map<number, Map<bigint, WaitingSend>>();

  /** Sends with the same id wait in the order of the calls, which must be that of the appends. */
  add(
    deviceId: number,
    clientMessageId: bigint,
    sender: UserRow,
    recipient: UserRow | undefined,
    stream: object | undefined,
  ): WaitingSend {
    const send: WaitingSend = { sender, recipient, stream, next: undefined };
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
    if (ofDevice !== undefined && first !== undefined)
      this.#removeFirst(deviceId, ofDevice, clientMessageId, first);
    return first;
  }

  /** Removes a send that stored no entry; does nothing if it was taken. */
  remove(deviceId: number, clientMessageId: bigint, send: WaitingSend): void {
    const ofDevice = this.#byDevice.get(deviceId);
    let before = ofDevice?.get(clientMessageId);
    if (ofDevice === undefined || before === undefined) return;
    if (before === send) {
      this.#removeFirst(deviceId, ofDevice, clientMessageId, send);
      return;
    }
    while (before.next !== undefined && before.next !== send) before = before.next;
    if (before.next === send) before.next = send.next;
  }

  #removeFirst(
    deviceId: number,
    ofDevice: Map<bigint, WaitingSend>,
    clientMessageId: bigint,
    { next }: WaitingSend,
  ): void {
    if (next === undefined) ofDevice.delete(clientMessageId);
    else ofDevice.set(clientMessageId, next);
    if (ofDevice.size === 0 && this.#byDevice.size > MOST_IDLE_DEVICES) this.#byDevice.delete(deviceId);
  }
}
