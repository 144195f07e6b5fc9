// The requests for a private chat that this device received and that are neither answered nor closed.
import {
  type IntroductionClosed,
  IntroductionOutcome,
  type IntroductionRequested,
} from "../../../gen/parley/chat/v1/event.ts";
import { Answer } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { NotSentError } from "../conversation/line-rules.ts";
import { type PeerKeys, readPeer } from "../keys/contacts.ts";
import { KeyProblemError, millis, type PrivateChatContext } from "./context.ts";
import type { PeerRequest } from "./pending-peer.ts";

/** The most requests that wait for an answer at the same time. */
const MAX_REQUESTS = 64;

/** How long the server may take to repeat the waiting requests after a new stream has caught up, ms. */
const REPEAT_MS = 1_000;

/** A request that waits for an answer. */
export interface IncomingRequest {
  /** The other user. */
  readonly username: string;
  /** The other user allows a direct path. */
  readonly direct: boolean;
}

/** There is no request by that user. If there was one, a `request-closed` event reports its end. */
export class NoRequestError extends NotSentError {}

/** Whether an answer failed because the request was closed, for example withdrawn or answered by another device. */
export function isRequestGone(error: unknown): boolean {
  if (error instanceof RpcError) return error.reason === "INTRODUCTION_NOT_FOUND";
  return error instanceof NoRequestError;
}

export class IncomingRequests {
  readonly #context: PrivateChatContext;
  readonly #hasRoom: () => boolean;
  readonly #byUsername = new Map<string, PeerRequest>();
  /** The users whose requests the current stream has not repeated. */
  readonly #unrepeated = new Set<string>();
  /** The users whose requests got an answer that did not reach the server: if it repeats one, its event is repeated. */
  readonly #unanswered = new Set<string>();
  #repeatTimer: NodeJS.Timeout | undefined;

  /** @param hasRoom whether the reader of the events can take one more request */
  constructor(context: PrivateChatContext, hasRoom: () => boolean) {
    this.#context = context;
    this.#hasRoom = hasRoom;
  }

  has(username: string): boolean {
    return this.#byUsername.has(username);
  }

  list(): IncomingRequest[] {
    return [...this.#byUsername].map(([username, { direct }]) => ({ username, direct }));
  }

  clear(): void {
    clearTimeout(this.#repeatTimer);
    this.#byUsername.clear();
    this.#unrepeated.clear();
    this.#unanswered.clear();
  }

  /** A new stream is open, and the server repeats the requests that still wait on it. */
  streamOpened(): void {
    clearTimeout(this.#repeatTimer);
    for (const username of this.#byUsername.keys()) this.#unrepeated.add(username);
  }

  /** The stream has caught up: requests that are not repeated soon are closed. */
  caughtUp(): void {
    clearTimeout(this.#repeatTimer);
    if (this.#unrepeated.size === 0) return;
    this.#repeatTimer = setTimeout(() => {
      for (const username of this.#unrepeated) {
        const request = this.#byUsername.get(username);
        if (request === undefined) continue;
        this.closed({ ...request, outcome: IntroductionOutcome.TAKEN_BACK, deviceName: "" });
      }
      this.#unrepeated.clear();
    }, REPEAT_MS);
  }

  requested({ introductionId, peer: shown, direct, timeout }: IntroductionRequested): void {
    const { emit } = this.#context.parts;
    const peer = readPeer(this.#context.names.serverId, shown);
    if (peer === undefined) return;
    const { username } = peer;
    this.#unrepeated.delete(username);
    const isNew = this.#byUsername.get(username)?.introductionId !== introductionId;
    if (!isNew && !this.#unanswered.has(username)) return;
    this.#unanswered.delete(username);
    // Beyond the limit a request is ignored, and the server closes it when its time is over.
    if (!this.#hasRoom() || (this.#byUsername.size >= MAX_REQUESTS && !this.has(username))) return;
    this.#byUsername.set(username, { introductionId, peer, direct });
    const keyCheck = this.#context.checkKeys(peer);
    void emit({ type: "requested", username, direct, peer, keyCheck, timeoutMs: millis(timeout) });
  }

  /** A request was closed, but not by an answer of this program. */
  closed({ introductionId, outcome, deviceName }: IntroductionClosed): void {
    for (const [username, request] of this.#byUsername) {
      if (request.introductionId !== introductionId) continue;
      this.#byUsername.delete(username);
      void this.#context.parts.emit({ type: "request-closed", username, outcome, deviceName });
    }
  }

  /** Refuses a request for all devices of the user, or passes on it for this program only. @throws as `settle` */
  async decline(username: string, answer: "refuse" | "pass"): Promise<void> {
    await this.settle(username, async ({ introductionId }) => {
      await this.#context.parts.calls.answerIntroduction({
        introductionId,
        answer: answer === "refuse" ? Answer.REFUSE : Answer.PASS,
        direct: false,
        addresses: [],
        port: 0,
      });
    });
  }

  /**
   * Answers a request and removes it. The request stays if a person has to accept the keys first, if too many chats
   * are about to open, or if the answer did not reach the server.
   * @returns the keys of the peer
   * @throws NoRequestError if there is no request, and the errors of `answer`
   */
  async settle(username: string, answer: (request: PeerRequest) => Promise<void>): Promise<PeerKeys> {
    const request = this.#byUsername.get(username);
    if (request === undefined) throw new NoRequestError(`${username} has not asked for a private chat.`);
    this.#byUsername.delete(username);
    try {
      await answer(request);
    } catch (error) {
      const stays =
        error instanceof ConnectError || error instanceof KeyProblemError || error instanceof NotSentError;
      if (stays && !this.has(username)) this.#byUsername.set(username, request);
      if (error instanceof ConnectError) this.#unanswered.add(username);
      throw error;
    }
    // A stream that opened during the answer may have repeated the request.
    if (this.#byUsername.get(username)?.introductionId === request.introductionId)
      this.#byUsername.delete(username);
    return request.peer;
  }
}
