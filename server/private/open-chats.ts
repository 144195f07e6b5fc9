// Which private chats are open, as far as the server knows: what programs report, and what has just been agreed on.
import { type Clock, systemClock, type Timer } from "../../time/clock.ts";
import { keyOfProgram, type Program } from "./subscribers.ts";

/** Where a private chat is open. */
export interface ChatDevice {
  readonly deviceId: number;
  /** May be empty. */
  readonly deviceName: string;
}

interface Report {
  readonly program: Program;
  readonly device: ChatDevice;
  readonly peerIds: ReadonlySet<number>;
}

/** A private chat that is about to open. */
export interface Agreed {
  readonly introductionId: string;
  readonly program: Program;
  readonly device: ChatDevice;
}

/** As its own person is told of it: 'your device "laptop"'. */
export function nameOfOwn(deviceName: string): string {
  return deviceName === "" ? "another device of yours" : `your device "${deviceName}"`;
}

export class OpenChats implements Disposable {
  readonly #clock: Clock;
  /** By user, then by program. */
  readonly #reports = new Map<number, Map<string, Report>>();
  /** By the two users, whose side it is first. */
  readonly #agreed = new Map<string, Agreed & { readonly timer: Timer }>();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * The whole list of a program, in place of its earlier one, and of what it has agreed on: that has become a chat, or
   * nothing.
   */
  report(userId: number, program: Program, device: ChatDevice, peerIds: ReadonlySet<number>): void {
    const ofUser = this.#reports.get(userId) ?? new Map<string, Report>();
    ofUser.set(keyOfProgram(program), { program, device, peerIds });
    this.#reports.set(userId, ofUser);
    this.#endAgreementsOf(userId, (of) => keyOfProgram(of) === keyOfProgram(program));
  }

  /** The program has no stream any more that takes introductions. */
  forgetProgram(userId: number, program: Program): void {
    this.#forget(userId, (of) => keyOfProgram(of) === keyOfProgram(program));
  }

  /** The session has no stream any more. */
  forget(userId: number, sessionId: number): void {
    this.#forget(userId, (of) => of.sessionId === sessionId);
  }

  /** The user is about to open a private chat: it counts as open for so long, or until it is reported. */
  agree(userId: number, peerId: number, agreed: Agreed, forMs: number): void {
    const key = keyOf(userId, peerId);
    this.#endAgreement(key);
    const timer = this.#clock.after(forMs, () => this.#agreed.delete(key));
    this.#agreed.set(key, { ...agreed, timer });
  }

  /** What was agreed on by that introduction came to nothing. */
  disagree(userId: number, peerId: number, introductionId: string): void {
    const key = keyOf(userId, peerId);
    if (this.#agreed.get(key)?.introductionId === introductionId) this.#endAgreement(key);
  }

  /** On which of the user's devices a private chat with the other one is open; undefined: on none. */
  openWith(userId: number, peerId: number): ChatDevice | undefined {
    for (const { device, peerIds } of this.#reports.get(userId)?.values() ?? []) {
      if (peerIds.has(peerId)) return device;
    }
    return this.#agreed.get(keyOf(userId, peerId))?.device;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#agreed.values()) timer[Symbol.dispose]();
  }

  #forget(userId: number, isIt: (program: Program) => boolean): void {
    const ofUser = this.#reports.get(userId);
    for (const [key, { program }] of ofUser ?? []) if (isIt(program)) ofUser?.delete(key);
    if (ofUser?.size === 0) this.#reports.delete(userId);
    this.#endAgreementsOf(userId, isIt);
  }

  /** There are few at any time: they last a moment. */
  #endAgreementsOf(userId: number, isIt: (program: Program) => boolean): void {
    for (const [key, { program }] of this.#agreed) {
      if (key.startsWith(`${userId}:`) && isIt(program)) this.#endAgreement(key);
    }
  }

  #endAgreement(key: string): void {
    this.#agreed.get(key)?.timer[Symbol.dispose]();
    this.#agreed.delete(key);
  }
}

function keyOf(userId: number, peerId: number): string {
  return `${userId}:${peerId}`;
}
