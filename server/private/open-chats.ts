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
  /** By the user to whom the device belongs, then by peer. */
  readonly #agreed = new Map<number, Map<number, AgreedChat & { readonly timer: Timer }>>();

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
    this.#dropAgreed(userId, peerId);
    const timer = this.#clock.after(forMs, () => this.#dropAgreed(userId, peerId));
    const ofUser = this.#agreed.get(userId) ?? new Map<number, AgreedChat & { readonly timer: Timer }>();
    ofUser.set(peerId, { ...agreed, timer });
    this.#agreed.set(userId, ofUser);
  }

  /** Call it when the chat that was agreed on in this introduction did not open. */
  dropAgreed(userId: number, peerId: number, introductionId: string): void {
    if (this.#agreed.get(userId)?.get(peerId)?.introductionId === introductionId) {
      this.#dropAgreed(userId, peerId);
    }
  }

  /** The device on which the user has a private chat with the peer open; undefined if there is none. */
  openWith(userId: number, peerId: number): ChatDevice | undefined {
    for (const { device, peerIds } of this.#reports.get(userId)?.values() ?? []) {
      if (peerIds.has(peerId)) return device;
    }
    return this.#agreed.get(userId)?.get(peerId)?.device;
  }

  [Symbol.dispose](): void {
    for (const ofUser of this.#agreed.values()) {
      for (const { timer } of ofUser.values()) timer[Symbol.dispose]();
    }
  }

  #forget(userId: number, matches: (program: Program) => boolean): void {
    const ofUser = this.#reports.get(userId);
    for (const [key, { program }] of ofUser ?? []) if (matches(program)) ofUser?.delete(key);
    if (ofUser?.size === 0) this.#reports.delete(userId);
    this.#dropAllAgreed(userId, matches);
  }

  #dropAllAgreed(userId: number, matches: (program: Program) => boolean): void {
    for (const [peerId, { program }] of this.#agreed.get(userId) ?? []) {
      if (matches(program)) this.#dropAgreed(userId, peerId);
    }
  }

  #dropAgreed(userId: number, peerId: number): void {
    const ofUser = this.#agreed.get(userId);
    ofUser?.get(peerId)?.timer[Symbol.dispose]();
    ofUser?.delete(peerId);
    if (ofUser?.size === 0) this.#agreed.delete(userId);
  }
}
