// Knows which private chats are open: those that programs report, and those that were just agreed on.
import type { Clock, Timer } from "../../time/clock.ts";
import { keyOfProgram, type Program } from "./subscribers.ts";

/** The device on which a private chat is open. */
export interface ChatDevice {
  readonly deviceId: number;
  /** The name of the device, which can be empty. */
  readonly deviceName: string;
}

interface Report {
  readonly program: Program;
  readonly device: ChatDevice;
  readonly peerIds: ReadonlySet<number>;
}

/** A private chat that was agreed on but has not been reported yet. */
export interface AgreedChat {
  readonly introductionId: string;
  readonly program: Program;
  readonly device: ChatDevice;
}

/** Names a device in a message to its own user: 'your device "laptop"'. */
export function nameOfOwn(deviceName: string): string {
  return deviceName === "" ? "another device of yours" : `your device "${deviceName}"`;
}

export class OpenChats implements Disposable {
  readonly #clock: Clock;
  /** By user, then by program. */
  readonly #reports = new Map<number, Map<string, Report>>();
  /** By the user to whom the device belongs, and the peer. */
  readonly #agreed = new Map<string, AgreedChat & { readonly timer: Timer }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Replaces the list of open chats of a program. Its agreed chats are dropped, since each is either in the list or was
   * not opened.
   */
  report(userId: number, program: Program, device: ChatDevice, peerIds: ReadonlySet<number>): void {
    const ofUser = this.#reports.get(userId) ?? new Map<string, Report>();
    ofUser.set(keyOfProgram(program), { program, device, peerIds });
    this.#reports.set(userId, ofUser);
    this.#dropAllAgreed(userId, (of) => keyOfProgram(of) === keyOfProgram(program));
  }

  /** Call it when the program has no subscribed stream left. */
  forgetProgram(userId: number, program: Program): void {
    this.#forget(userId, (of) => keyOfProgram(of) === keyOfProgram(program));
  }

  /** Call it when the session has no stream left. */
  forget(userId: number, sessionId: number): void {
    this.#forget(userId, (of) => of.sessionId === sessionId);
  }

  /** Counts a chat that was agreed on as open for `forMs` ms, or until its program reports. */
  agree(userId: number, peerId: number, agreed: AgreedChat, forMs: number): void {
    const key = keyOf(userId, peerId);
    this.#dropAgreed(key);
    const timer = this.#clock.after(forMs, () => this.#agreed.delete(key));
    this.#agreed.set(key, { ...agreed, timer });
  }

  /** Call it when the chat that was agreed on in this introduction did not open. */
  dropAgreed(userId: number, peerId: number, introductionId: string): void {
    const key = keyOf(userId, peerId);
    if (this.#agreed.get(key)?.introductionId === introductionId) this.#dropAgreed(key);
  }

  /** The device on which the user has a private chat with the peer open; undefined if there is none. */
  openWith(userId: number, peerId: number): ChatDevice | undefined {
    for (const { device, peerIds } of this.#reports.get(userId)?.values() ?? []) {
      if (peerIds.has(peerId)) return device;
    }
    return this.#agreed.get(keyOf(userId, peerId))?.device;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#agreed.values()) timer[Symbol.dispose]();
  }

  #forget(userId: number, matches: (program: Program) => boolean): void {
    const ofUser = this.#reports.get(userId);
    for (const [key, { program }] of ofUser ?? []) if (matches(program)) ofUser?.delete(key);
    if (ofUser?.size === 0) this.#reports.delete(userId);
    this.#dropAllAgreed(userId, matches);
  }

  /** Searches all agreed chats. There are few, since each lasts only until it is reported. */
  #dropAllAgreed(userId: number, matches: (program: Program) => boolean): void {
    for (const [key, { program }] of this.#agreed) {
      if (key.startsWith(`${userId}:`) && matches(program)) this.#dropAgreed(key);
    }
  }

  #dropAgreed(key: string): void {
    this.#agreed.get(key)?.timer[Symbol.dispose]();
    this.#agreed.delete(key);
  }
}

function keyOf(userId: number, peerId: number): string {
  return `${userId}:${peerId}`;
}
