// How far each private chat is: what is unread here, what of the own lines has arrived and was read there, who types.
import type { LineEvent, MarksMoved } from "../../../peer/chats/events.ts";
import { TypingUsers } from "../incoming/typing-users.ts";
import type { Clock } from "../model/clock.ts";
import type { Mark } from "../model/conversations.ts";
import type { Count } from "../model/display-item.ts";
import { privately } from "../model/place.ts";

interface Progress {
  unread: number;
  said: bigint;
  received: bigint;
  read: bigint;
}

export class PrivateProgress implements Disposable {
  readonly #typists: TypingUsers;
  readonly #chats = new Map<string, Progress>();
  /** Own lines that stand on the screen as waiting, by the user who is being asked. */
  readonly #waiting = new Map<string, number>();

  constructor(clock: Clock, changed: () => void) {
    this.#typists = new TypingUsers(clock, changed);
  }

  get unread(): Count[] {
    return [...this.#chats]
      .filter(([, { unread }]) => unread > 0)
      .map(([username, { unread }]) => ({ place: privately(username), count: unread }));
  }

  /** Own lines that have not arrived, or wait to be said. */
  get underway(): boolean {
    return this.#waiting.size > 0 || [...this.#chats.values()].some(({ said, received }) => said > received);
  }

  markOf(username: string): Mark | undefined {
    const { said, received, read } = this.#of(username);
    if (said === 0n) return undefined;
    return said <= read ? "read" : said <= received ? "delivered" : "stored";
  }

  isTyping(username: string): boolean {
    return this.#typists.isTyping(username);
  }

  line({ username, mine, number }: LineEvent): void {
    const progress = this.#of(username);
    if (mine) progress.said = number;
    else {
      progress.unread += 1;
      this.#typists.stopped(username);
    }
  }

  /** An own line was shown before it could be said. */
  held(username: string): void {
    this.#waiting.set(username, (this.#waiting.get(username) ?? 0) + 1);
  }

  /** What is said now stands on the screen already: true; and whether it was the last that waited. */
  isShown(username: string): { shown: boolean; last: boolean } {
    const waiting = this.#waiting.get(username) ?? 0;
    if (waiting > 1) this.#waiting.set(username, waiting - 1);
    else this.#waiting.delete(username);
    return { shown: waiting > 0, last: waiting === 1 };
  }

  marks({ username, received, read }: MarksMoved): void {
    Object.assign(this.#of(username), { received, read });
  }

  typing(username: string, typing: boolean): void {
    this.#typists.heard(username, typing);
  }

  seen(username: string): void {
    const progress = this.#chats.get(username);
    if (progress !== undefined) progress.unread = 0;
  }

  /** A new chat counts from the beginning; what is unread of an earlier one stays so. */
  opened(username: string): void {
    const unread = this.#chats.get(username)?.unread ?? 0;
    this.#chats.set(username, { unread, said: 0n, received: 0n, read: 0n });
  }

  /** What has not arrived, or was not said, will not be. */
  ended(username: string): void {
    this.opened(username);
    this.#waiting.delete(username);
    this.#typists.stopped(username);
  }

  [Symbol.dispose](): void {
    this.#typists[Symbol.dispose]();
  }

  #of(username: string): Progress {
    let progress = this.#chats.get(username);
    if (progress === undefined) {
      progress = { unread: 0, said: 0n, received: 0n, read: 0n };
      this.#chats.set(username, progress);
    }
    return progress;
  }
}
