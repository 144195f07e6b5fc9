// The state of each private chat: unread lines, how far own lines were delivered and read, and who is typing.

import type { Clock } from "../../../../time/clock.ts";
import type { LineEvent, MarksMoved } from "../../../peer/chats/events.ts";
import { TypingUsers } from "../incoming/typing-users.ts";
import type { Mark } from "../model/conversations.ts";
import type { Count } from "../model/display-item.ts";
import { privately } from "../model/place.ts";

interface Progress {
  unread: number;
  /** The number of the last own line, and the last ones that the peer received and read. */
  sent: bigint;
  received: bigint;
  read: bigint;
}

export class PrivateProgress implements Disposable {
  readonly #typingUsers: TypingUsers;
  readonly #chats = new Map<string, Progress>();
  /** How many own lines are on the screen as waiting, by user. */
  readonly #waiting = new Map<string, number>();

  constructor(clock: Clock, changed: () => void) {
    this.#typingUsers = new TypingUsers(clock, changed);
  }

  get unread(): Count[] {
    return [...this.#chats]
      .filter(([, { unread }]) => unread > 0)
      .map(([username, { unread }]) => ({ place: privately(username), count: unread }));
  }

  /** Whether a line of this side waits or is on its way. */
  get underway(): boolean {
    return this.#waiting.size > 0 || [...this.#chats.values()].some(({ sent, received }) => sent > received);
  }

  markOf(username: string): Mark | undefined {
    const { sent, received, read } = this.#of(username);
    if (sent === 0n) return undefined;
    return sent <= read ? "read" : sent <= received ? "delivered" : "stored";
  }

  isTyping(username: string): boolean {
    return this.#typingUsers.isTyping(username);
  }

  line({ username, mine, number }: LineEvent): void {
    const progress = this.#of(username);
    if (mine) progress.sent = number;
    else {
      progress.unread += 1;
      this.#typingUsers.stopped(username);
    }
  }

  /** An own line was shown as waiting. */
  held(username: string): void {
    this.#waiting.set(username, (this.#waiting.get(username) ?? 0) + 1);
  }

  /** An own line is sent now. `shown`: it is on the screen already, as waiting; `last`: it is the last of those. */
  takeWaiting(username: string): { shown: boolean; last: boolean } {
    const waiting = this.#waiting.get(username) ?? 0;
    if (waiting > 1) this.#waiting.set(username, waiting - 1);
    else this.#waiting.delete(username);
    return { shown: waiting > 0, last: waiting === 1 };
  }

  marks({ username, received, read }: MarksMoved): void {
    Object.assign(this.#of(username), { received, read });
  }

  typing(username: string, typing: boolean): void {
    this.#typingUsers.heard(username, typing);
  }

  markRead(username: string): void {
    const progress = this.#chats.get(username);
    if (progress !== undefined) progress.unread = 0;
  }

  /** Counts own lines from the beginning; unread lines of an earlier chat stay unread. */
  opened(username: string): void {
    const unread = this.#chats.get(username)?.unread ?? 0;
    this.#chats.set(username, { unread, sent: 0n, received: 0n, read: 0n });
  }

  /** The chat ended or did not start: its own lines no longer wait. */
  ended(username: string): void {
    this.opened(username);
    this.#waiting.delete(username);
    this.#typingUsers.stopped(username);
  }

  [Symbol.dispose](): void {
    this.#typingUsers[Symbol.dispose]();
  }

  #of(username: string): Progress {
    let progress = this.#chats.get(username);
    if (progress === undefined) {
      progress = { unread: 0, sent: 0n, received: 0n, read: 0n };
      this.#chats.set(username, progress);
    }
    return progress;
  }
}
