// One private chat that is open: tells its reader what happens in it, and knows what both are told of it.
import type { Ending } from "../../gen/parley/peer/v1/peer_service.ts";
import type { PeerKeys } from "./contacts.ts";
import { Conversation, type ConversationOwner, type Ended, type SignalStream } from "./conversation.ts";
import type { DeskParts, Emit } from "./desk.ts";
import type { Path } from "./reach.ts";

/** A repeated "types" within this time, ms, says nothing new. */
const TYPING_MS = 2_000;

export class OpenChat {
  readonly peer: PeerKeys;
  readonly path: Path;
  readonly #conversation: Conversation;
  readonly #emit: Emit;
  #typing: { readonly typing: boolean; readonly time: number } | undefined;

  constructor(
    peer: PeerKeys,
    path: Path,
    stream: SignalStream,
    { emit, allowHalfOpen }: Pick<DeskParts, "emit" | "allowHalfOpen">,
  ) {
    this.peer = peer;
    this.path = path;
    this.#emit = emit;
    const { username } = peer;
    const owner: ConversationOwner = {
      line: (line) => emit({ type: "line", username, mine: false, ...line }),
      marks: (received, read) => emit({ type: "marks", username, received, read }),
      typing: (typing) => emit({ type: "typing", username, typing }),
      finished: () => emit({ type: "finished", username }, allowHalfOpen ? undefined : () => this.finish()),
    };
    this.#conversation = new Conversation(stream, owner);
  }

  /** Nothing more can be said in it. */
  get isOver(): boolean {
    return this.#conversation.isOver;
  }

  /** Own lines, in order, that the other device is not known to have. */
  get undelivered(): readonly string[] {
    return this.#conversation.undelivered;
  }

  /** Resolves when it is over; never rejects. */
  run(): Promise<Ended> {
    return this.#conversation.run();
  }

  /** Resolves when there is room for a line, or it is over. */
  room(): Promise<void> {
    return this.#conversation.room();
  }

  /** @throws NotSaidError */
  say(text: string): bigint {
    const number = this.#conversation.say(text);
    const { username } = this.peer;
    const content = { kind: "text", text } as const;
    void this.#emit({ type: "line", username, mine: true, number, time: new Date(), content });
    return number;
  }

  markRead(): void {
    this.#conversation.markRead();
  }

  setTyping(typing: boolean): void {
    const now = performance.now();
    if (this.#typing?.typing === typing && now - this.#typing.time < TYPING_MS) return;
    this.#typing = { typing, time: now };
    this.#conversation.setTyping(typing);
  }

  finish(): void {
    this.#conversation.finish();
  }

  end(ending: Ending): Promise<void> {
    return this.#conversation.end(ending);
  }
}
