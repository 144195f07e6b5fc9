// One open private chat: reports what happens as events, and ends the chat when a person no longer trusts its keys.
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { TypingThrottle } from "../../link/sending/typing-throttle.ts";
import { NotSentError } from "../conversation/line-rules.ts";
import { type ConversationOwner, PrivateConversation } from "../conversation/private-conversation.ts";
import { QueuedLines } from "../conversation/queued-lines.ts";
import type { KeyProblem, PeerKeys } from "../keys/contacts.ts";
import type { Path } from "../path/connect-peer.ts";
import type { PrivateChatContext } from "./context.ts";
import type { ChatEnded } from "./events.ts";
import type { EstablishedChat } from "./outgoing-request.ts";

export class OpenChat {
  readonly peer: PeerKeys;
  readonly path: Path;
  readonly #context: PrivateChatContext;
  readonly #conversation: PrivateConversation;
  readonly #reported = Promise.withResolvers<void>();
  readonly #typing = new TypingThrottle();
  /** Own lines that wait until a person has accepted the keys. */
  readonly #held: QueuedLines;
  /** Own lines that could not be sent because the chat has ended. */
  readonly #unsent: string[] = [];
  /** Set when the chat was ended because of its keys. */
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
    this.#held = new QueuedLines(username);
    this.#conversation = new PrivateConversation(stream, owner);
  }

  /** Whether the chat has ended, so that no line can be sent. */
  get isOver(): boolean {
    return this.#conversation.isOver;
  }

  /** Own lines whose arrival the other device has not confirmed, in order. */
  get undelivered(): readonly string[] {
    return this.#conversation.undelivered;
  }

  /** Own lines that were never sent, in order. */
  get notSent(): readonly string[] {
    return [...this.#unsent, ...this.#held.texts];
  }

  /** Runs the chat to its end. Never rejects. @param queued lines to send first */
  async run(queued: readonly string[]): Promise<ChatEnded> {
    const running = this.#conversation.run();
    // Synchronously, so that no other line comes before them. The conversation may already have ended.
    this.#unsent.push(...queued.filter((text) => !this.#trySend(text)));
    const { how, undelivered } = await running;
    return {
      type: "ended",
      username: this.peer.username,
      how: this.#problem === undefined ? how : { kind: "keys", problem: this.#problem },
      undelivered,
      notSent: this.notSent,
    };
  }

  /** Called when the event of the chat's end has been emitted. */
  reported(): void {
    this.#reported.resolve();
  }

  /** Ends a chat whose peer is gone, without a goodbye; resolves when the event of its end has been emitted. */
  async drop(): Promise<void> {
    this.#conversation.drop();
    await this.#reported.promise;
  }

  /** Resolves when a line can be sent, or the chat has ended. */
  whenWritable(): Promise<void> {
    return this.#conversation.whenWritable();
  }

  /** Sends a line, or holds it until a person has accepted the keys. @throws NotSentError */
  send(text: string): "sent" | "queued" {
    if (!this.isOver && this.#isHolding()) {
      this.#held.add(text);
      return "queued";
    }
    this.#send(text);
    return "sent";
  }

  #send(text: string): void {
    const number = this.#conversation.send(text);
    const { username } = this.peer;
    const content = { kind: "text", text } as const;
    void this.#context.parts.emit({ type: "line", username, mine: true, number, time: new Date(), content });
  }

  /** Checks the keys again: ends the chat if a person has to accept them first, and sends held lines if one has. */
  recheckKeys(): KeyProblem | undefined {
    const check = this.#context.checkKeys(this.peer);
    if (!check.stops || check.problem === undefined) {
      if (!this.#context.holdsLines(this.peer)) this.#release();
      return undefined;
    }
    this.#problem ??= check.problem;
    void this.end(Ending.STOPPED);
    return check.problem;
  }

  /** Checks the keys again, and returns whether own lines have to wait for a person. */
  #isHolding(): boolean {
    return this.recheckKeys() === undefined && this.#context.holdsLines(this.peer);
  }

  #release(): void {
    const texts = this.#held.take();
    this.#unsent.push(...texts.filter((text) => !this.#trySend(text)));
  }

  markRead(): void {
    this.#conversation.markRead();
  }

  setTyping(typing: boolean): void {
    // A person who does not trust the keys yet is not observed, either.
    if (this.#context.holdsLines(this.peer)) return;
    if (this.#typing.admits(String(typing))) this.#conversation.setTyping(typing);
  }

  finish(): void {
    this.#conversation.finish();
  }

  end(ending: Ending): Promise<void> {
    return this.#conversation.end(ending);
  }

  #trySend(text: string): boolean {
    try {
      this.send(text);
      return true;
    } catch (error) {
      if (error instanceof NotSentError) return false;
      throw error;
    }
  }
}
