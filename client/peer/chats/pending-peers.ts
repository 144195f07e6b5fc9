// Who was told yes and has not come yet, one for each user.
import { type IntroductionClosed, IntroductionOutcome } from "../../../gen/parley/chat/v1/event.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { NotSentError } from "../conversation/private-conversation.ts";
import { asError, type PrivateChatContext } from "./context.ts";
import type { EstablishedChat } from "./outgoing-request.ts";
import { type Asked, PendingPeer } from "./pending-peer.ts";

/** Who may be awaited at once: more than a server lets ask, and each has a timer and half a relay. */
const MAX_PENDING_PEERS = 64;

export interface PendingPeersOwner {
  /** Has the conversation, with what is to be said first; it is over when this resolves, and did not begin where it rejects. */
  converse(begun: EstablishedChat, queued: readonly string[]): Promise<void>;
  /** Nothing comes of what was agreed on. */
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

  /** Says yes, and waits for that one to come. @throws RpcError, ConnectError, NotSentError where too many are awaited */
  async accept(asked: Asked): Promise<void> {
    const { peer, introductionId } = asked;
    const { username } = peer;
    if (this.#byUsername.size >= MAX_PENDING_PEERS && this.get(username) === undefined)
      throw new NotSentError("Too many private chats are about to open. Wait a moment.");
    const fail = ({ queued }: PendingPeer, error: Error): void => {
      this.#owner.failed(introductionId);
      void this.#context.parts.emit({ type: "failed", username, error, queued: queued.texts });
    };
    const pendingPeer = new PendingPeer(this.#context, asked, {
      converse: async (come, stream, path) => {
        this.#forget(come);
        try {
          await this.#owner.converse({ peer, stream, path }, come.queued.texts);
        } catch (error) {
          fail(come, asError(error));
        }
      },
      failed: (come, error) => {
        this.#forget(come);
        fail(come, error);
      },
    });
    // Whoever asks anew has given up what was before.
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

  /** What was answered yes came to nothing at the other end. */
  closed({ introductionId, outcome }: IntroductionClosed): void {
    if (outcome !== IntroductionOutcome.FAILED) return;
    for (const pendingPeer of [...this.#byUsername.values()]) {
      if (pendingPeer.asked.introductionId !== introductionId) continue;
      const message = `It came to nothing on the side of ${pendingPeer.asked.peer.username}.`;
      pendingPeer.fail(new ConnectError({ kind: "unreachable", message }));
    }
  }

  #forget(pendingPeer: PendingPeer): void {
    const { username } = pendingPeer.asked.peer;
    if (this.#byUsername.get(username) === pendingPeer) this.#byUsername.delete(username);
  }
}
