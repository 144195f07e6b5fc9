// One private chat that is open: tells its reader what happens in it, and ends where a person no longer trusts its keys.
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import {
  type ConversationOwner,
  NotSentError,
  PrivateConversation,
} from "../conversation/private-conversation.ts";
import type { KeyProblem, PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";
import type { PrivateChatContext } from "./context.ts";
import type { ChatEnded } from "./events.ts";
import type { EstablishedChat } from "./outgoing-request.ts";

/** A repeated "types" within this time, ms, says nothing new. */
const TYPING_MS = 2_000;

export class OpenChat {
  readonly peer: PeerKeys;
  readonly path: Path;
  readonly #context: PrivateChatContext;
  readonly #conversation: PrivateConversation;
  readonly #over = Promise.withResolvers<void>();
  #typing: { readonly typing: boolean; readonly time: number } | undefined;
  /** What a person does not accept of the keys any more. */
  #problem: KeyProblem | undefined;

  constructor(context: PrivateChatContext, { peer, path, stream }: EstablishedChat) {
    this.peer = peer;
    this.path = path;
    this.#context = context;
    const { emit, allowHalfOpen } = context.parts;
    const { username } = peer;
    const owner: ConversationOwner = {
      line: async (line) => {
        if (this.recheckKeys() === undefined) await emit({ type: "line", username, mine: false, ...line });
      },
      marks: (received, read) => emit({ type: "marks", username, received, read }),
      typing: (typing) => emit({ type: "typing", username, typing }),
      finished: () => emit({ type: "finished", username }, allowHalfOpen ? undefined : () => this.finish()),
    };
    this.#conversation = new PrivateConversation(stream, owner);
  }

  /** Nothing more can be said in it. */
  get isOver(): boolean {
    return this.#conversation.isOver;
  }

  /** Own lines, in order, that the other device is not known to have. */
  get undelivered(): readonly string[] {
    return this.#conversation.undelivered;
  }

  /** From its opening to its end. Never rejects. @param held what to say first */
  async run(queued: readonly string[]): Promise<ChatEnded> {
    const running = this.#conversation.run();
    // Before anything that is said from now on. Whoever came may be gone already.
    const unsaid = queued.filter((text) => !this.#says(text));
    const { how, undelivered } = await running;
    return {
      type: "ended",
      username: this.peer.username,
      how: this.#problem === undefined ? how : { kind: "keys", problem: this.#problem },
      undelivered: [...undelivered, ...unsaid],
    };
  }

  /** Its end was told. */
  told(): void {
    this.#over.resolve();
  }

  /** Gives it up, where the other end is taken to be gone; resolves when that was told. */
  async drop(): Promise<void> {
    this.#conversation.drop();
    await this.#over.promise;
  }

  /** Resolves when there is room for a line, or it is over. */
  whenWritable(): Promise<void> {
    return this.#conversation.whenWritable();
  }

  /** @throws NotSentError */
  send(text: string): void {
    this.recheckKeys();
    const number = this.#conversation.send(text);
    const { username } = this.peer;
    const content = { kind: "text", text } as const;
    void this.#context.parts.emit({ type: "line", username, mine: true, number, time: new Date(), content });
  }

  /** Judges the keys anew, and ends the chat where a person has to accept them first. */
  recheckKeys(): KeyProblem | undefined {
    const { stops, problem } = this.#context.checkKeys(this.peer);
    if (!stops || problem === undefined) return undefined;
    this.#problem ??= problem;
    void this.end(Ending.STOPPED);
    return problem;
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

  #says(text: string): boolean {
    try {
      this.send(text);
      return true;
    } catch (error) {
      if (error instanceof NotSentError) return false;
      throw error;
    }
  }
}
