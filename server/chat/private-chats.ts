// Which private chats are open, as far as the server knows: what sessions report, and what has just been agreed on.
import type { SessionRow } from "../store/store.ts";

/** Where a private chat is open. */
export interface ChatDevice {
  readonly deviceId: number;
  /** May be empty. */
  readonly deviceName: string;
}

interface Report {
  readonly device: ChatDevice;
  readonly peerIds: ReadonlySet<number>;
}

interface Agreement {
  readonly device: ChatDevice;
  readonly timer: NodeJS.Timeout;
}

/** As its own person is told of it: 'your device "laptop"'. */
export function nameOfOwn(deviceName: string): string {
  return deviceName === "" ? "another device of yours" : `your device "${deviceName}"`;
}

export class PrivateChats implements Disposable {
  /** By user, then by session. */
  readonly #reports = new Map<number, Map<number, Report>>();
  /** By the two users, whose side it is first. */
  readonly #agreed = new Map<string, Agreement>();

  /**
   * The whole list of a session, in place of its earlier one, and of what its device has agreed on: that has become a
   * chat, or nothing.
   */
  report({ user, sessionId, deviceId, client }: SessionRow, peerIds: ReadonlySet<number>): void {
    const ofUser = this.#reports.get(user.userId) ?? new Map<number, Report>();
    ofUser.set(sessionId, { device: { deviceId, deviceName: client.deviceName }, peerIds });
    this.#reports.set(user.userId, ofUser);
    this.#endAgreements(user.userId, deviceId);
  }

  /** The session has no stream any more. */
  forget(userId: number, sessionId: number): void {
    const ofUser = this.#reports.get(userId);
    const device = ofUser?.get(sessionId)?.device;
    if (device !== undefined) this.#endAgreements(userId, device.deviceId);
    ofUser?.delete(sessionId);
    if (ofUser?.size === 0) this.#reports.delete(userId);
  }

  /** The user's device is about to open a private chat: it counts as open for so long, or until it is reported. */
  agree(userId: number, peerId: number, device: ChatDevice, forMs: number): void {
    const key = keyOf(userId, peerId);
    this.#endAgreement(key);
    const timer = setTimeout(() => this.#agreed.delete(key), forMs);
    timer.unref();
    this.#agreed.set(key, { device, timer });
  }

  /** On which of the user's devices a private chat with the other one is open; undefined: on none. */
  openWith(userId: number, peerId: number): ChatDevice | undefined {
    for (const { device, peerIds } of this.#reports.get(userId)?.values() ?? []) {
      if (peerIds.has(peerId)) return device;
    }
    return this.#agreed.get(keyOf(userId, peerId))?.device;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#agreed.values()) clearTimeout(timer);
  }

  /** Those of one of the user's devices. There are few at any time: they last a moment. */
  #endAgreements(userId: number, deviceId: number): void {
    for (const [key, { device }] of this.#agreed) {
      if (device.deviceId === deviceId && key.startsWith(`${userId}:`)) this.#endAgreement(key);
    }
  }

  #endAgreement(key: string): void {
    clearTimeout(this.#agreed.get(key)?.timer);
    this.#agreed.delete(key);
  }
}

function keyOf(userId: number, peerId: number): string {
  return `${userId}:${peerId}`;
}
