// Who asks this device for a private chat, until that is answered or over.
import {
  type IntroductionClosed,
  IntroductionOutcome,
  type IntroductionRequested,
} from "../../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { NotSentError } from "../conversation/private-conversation.ts";
import { type PeerKeys, readPeer } from "../keys/contacts.ts";
import { KeyProblemError, millis, type PrivateChatContext } from "./context.ts";
import type { Asked } from "./pending-peer.ts";

/** Users whose question may wait for an answer at once. */
const MOST_ASKED = 64;

/** How long after a stream has caught up the questions that wait still may take to be told again on it, ms. */
const TOLD_AGAIN_MS = 1_000;

/** Somebody who asks. */
export interface IncomingRequest {
  /** The other user. */
  readonly username: string;
  /** That one allows a direct path. */
  readonly direct: boolean;
}

/** Nobody of that name asks, or not any more: where somebody did, `asking-closed` has told it, or is about to. */
export class NoRequestError extends NotSentError {}

/** Whether an answer came to nothing since the question was over by then: taken back, say, or answered elsewhere. */
export function isRequestGone(error: unknown): boolean {
  if (error instanceof RpcError) return error.reason === "INTRODUCTION_NOT_FOUND";
  return error instanceof NoRequestError;
}

export class IncomingRequests {
  readonly #context: PrivateChatContext;
  readonly #hasRoom: () => boolean;
  readonly #asked = new Map<string, Asked>();
  /** Those of whom this stream has not told again. */
  readonly #unsure = new Set<string>();
  /** Those whose answer did not get to the server: when they are told again, so is the reader. */
  readonly #unanswered = new Set<string>();
  #over: NodeJS.Timeout | undefined;

  /** @param hasRoom whether one more can be told of */
  constructor(context: PrivateChatContext, hasRoom: () => boolean) {
    this.#context = context;
    this.#hasRoom = hasRoom;
  }

  has(username: string): boolean {
    return this.#asked.has(username);
  }

  list(): IncomingRequest[] {
    return [...this.#asked].map(([username, { direct }]) => ({ username, direct }));
  }

  clear(): void {
    clearTimeout(this.#over);
    this.#asked.clear();
    this.#unsure.clear();
    this.#unanswered.clear();
  }

  /** A stream was opened: on it is told again what waits still. */
  reopened(): void {
    clearTimeout(this.#over);
    for (const username of this.#asked.keys()) this.#unsure.add(username);
  }

  /** The stream has caught up: what is not told again from here on is over. */
  caughtUp(): void {
    clearTimeout(this.#over);
    if (this.#unsure.size === 0) return;
    this.#over = setTimeout(() => {
      for (const username of this.#unsure) {
        const asked = this.#asked.get(username);
        if (asked === undefined) continue;
        this.closed({ ...asked, outcome: IntroductionOutcome.TAKEN_BACK, deviceName: "" });
      }
      this.#unsure.clear();
    }, TOLD_AGAIN_MS);
  }

  /** Somebody asks. */
  asked({ introductionId, peer: shown, direct, timeout }: IntroductionRequested): void {
    const { names, emit } = this.#context.parts;
    const peer = readPeer(names.serverId, shown);
    if (peer === undefined) return;
    const { username } = peer;
    this.#unsure.delete(username);
    const isNew = this.#asked.get(username)?.introductionId !== introductionId;
    if (!isNew && !this.#unanswered.has(username)) return;
    this.#unanswered.delete(username);
    // More than a server hands out, or than anybody reads: it is left unanswered.
    if (!this.#hasRoom() || (this.#asked.size >= MOST_ASKED && !this.has(username))) return;
    this.#asked.set(username, { introductionId, peer, direct });
    const keyCheck = this.#context.checkKeys(peer);
    void emit({ type: "requested", username, direct, peer, keyCheck, timeoutMs: millis(timeout) });
  }

  /** The question is over, and not by an answer from here. */
  closed({ introductionId, outcome, deviceName }: IntroductionClosed): void {
    for (const [username, asked] of this.#asked) {
      if (asked.introductionId !== introductionId) continue;
      this.#asked.delete(username);
      void this.#context.parts.emit({ type: "request-closed", username, outcome, deviceName });
    }
  }

  /**
   * Answers a question, which is over then; it stands where a person has to look at the keys first, where too much is under
   * way, or where the answer did not get to the server.
   * @returns who asked. @throws NoRequestError where that one does not ask, and what the answer throws
   */
  async settle(username: string, answer: (asked: Asked) => Promise<void>): Promise<PeerKeys> {
    const asked = this.#asked.get(username);
    if (asked === undefined) throw new NoRequestError(`${username} does not ask for a private chat.`);
    this.#asked.delete(username);
    try {
      await answer(asked);
    } catch (error) {
      const stands =
        error instanceof ConnectError || error instanceof KeyProblemError || error instanceof NotSentError;
      if (stands && !this.has(username)) this.#asked.set(username, asked);
      if (error instanceof ConnectError) this.#unanswered.add(username);
      throw error;
    }
    // A stream that opened meanwhile may have brought the question again.
    if (this.#asked.get(username)?.introductionId === asked.introductionId) this.#asked.delete(username);
    return asked.peer;
  }
}
