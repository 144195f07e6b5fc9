// The peers whose requests were accepted and that have not connected yet, one for each user.
import { type IntroductionClosed, IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { NotSentError } from "../conversation/line-rules.ts";
import { asError, type PrivateChatContext } from "./context.ts";
import type { EstablishedChat } from "./outgoing-request.ts";
import { type PeerRequest, PendingPeer } from "./pending-peer.ts";

/** The most pending peers, more than a server allows to request. Each one has a timer and half a relay. */
const MAX_PENDING_PEERS = 64;

export interface PendingPeersOwner {
  /**
   * Runs the chat; resolves when it has ended, and rejects if it did not start.
   * @param queued lines to send first
   */
  converse(established: EstablishedChat, queued: readonly string[]): Promise<void>;
  /** An accepted introduction led to no chat. */
  failed(introductionId: string): void;
}

export class PendingPeers {
  readonly #context: PrivateChatContext;
  readonly #owner: PendingPeersOwner;
  readonly #byUsername = new Map<string, PendingPeer>();

  constructor(context: PrivateChatContext, owner: PendingPeersOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  get usernames(): readonly string[] {
    return [...this.#byUsername.keys()];
  }

  get(username: string): PendingPeer | undefined {
    return this.#byUsername.get(username);
  }

  /**
   * Accepts a request and waits for the peer.
   * @throws RpcError, ConnectError, NotSentError if too many are pending
   */
  async accept(request: PeerRequest): Promise<void> {
    const { peer, introductionId } = request;
    const { username } = peer;
    if (this.#byUsername.size >= MAX_PENDING_PEERS && this.get(username) === undefined)
      throw new NotSentError("Too many private chats are about to open. Wait a moment and try again.");
    const fail = ({ queued }: PendingPeer, error: Error): void => {
      this.#owner.failed(introductionId);
      void this.#context.parts.emit({ type: "failed", username, error, queued: queued.texts });
    };
    const pendingPeer = new PendingPeer(this.#context, request, {
      converse: async (connected, stream, path) => {
        this.#forget(connected);
        try {
          await this.#owner.converse({ peer, stream, path }, connected.queued.texts);
        } catch (error) {
          fail(connected, asError(error));
        }
      },
      failed: (failed, error) => {
        this.#forget(failed);
        fail(failed, error);
      },
    });
    // A new request by the user replaces the previous one.
    const before = this.get(username);
    before?.end();
    for (const text of before?.queued.texts ?? []) pendingPeer.queued.add(text);
    this.#byUsername.set(username, pendingPeer);
    try {
      await pendingPeer.accept();
    } catch (error) {
      this.#forget(pendingPeer);
      const queued = pendingPeer.queued.texts;
      if (queued.length > 0)
        await this.#context.parts.emit({ type: "failed", username, error: asError(error), queued });
      throw error;
    }
  }

  /** Handles the peer's report that an accepted introduction led to no chat. */
  closed({ introductionId, outcome }: IntroductionClosed): void {
    if (outcome !== IntroductionOutcome.FAILED) return;
    for (const pendingPeer of [...this.#byUsername.values()]) {
      if (pendingPeer.request.introductionId !== introductionId) continue;
      const message = `The device of ${pendingPeer.request.peer.username} could not connect.`;
      pendingPeer.fail(new ConnectError({ kind: "unreachable", message }));
    }
  }

  #forget(pendingPeer: PendingPeer): void {
    const { username } = pendingPeer.request.peer;
    if (this.#byUsername.get(username) === pendingPeer) this.#byUsername.delete(username);
  }
}
